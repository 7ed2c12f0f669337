@ The hot f32 instructions by hand for ARMv6-M: normal numbers; all else goes on to the library's function.
@
@ A routine takes its operands in r0 and r1, in r2 the bytes from the frame (r4) to free words behind it, and gives its result in r0. r3 to r12
@ stay as they are; nothing is left on the stack where the library is called, since a guest may be suspended there.
@ tests/native/test_helpers.py assembles this and compares; `python -m tests.native.helpers` writes tests/native/thumb_float.py.

	.syntax unified
	.cpu cortex-m0
	.thumb

@ Calls the library's function on r0 and r1, with all that lives in registers kept in the frame's free words.
	.macro library name
	pop	{r3, r5, r6, r7}
	adds	r4, r4, r2
	str	r0, [r4, #24]
	str	r1, [r4, #28]
	str	r2, [r4]
	str	r3, [r4, #4]
	str	r7, [r4, #8]
	mov	r0, r8
	str	r0, [r4, #12]
	mov	r0, r12
	str	r0, [r4, #16]
	mov	r0, lr
	str	r0, [r4, #20]
	adds	r4, #24
call_\name:
	bl	call_\name
	subs	r4, #24
	ldr	r1, [r4, #12]
	mov	r8, r1
	ldr	r1, [r4, #16]
	mov	r12, r1
	ldr	r3, [r4, #4]
	ldr	r7, [r4, #8]
	ldr	r1, [r4, #20]
	ldr	r2, [r4]
	subs	r4, r4, r2
	bx	r1
	.endm

@ Rounds r0, hidden bit 31, to nearest, ties to even, into r1 without the guard bits; \sticky is not 0 where bits were lost.
	.macro rounded sticky
	lsrs	r1, r0, #8		@ the carry is the first bit that falls out
	bcc	7f
	lsls	r0, r0, #25
	.ifnb	\sticky
	orrs	r0, \sticky
	.endif
	bne	6f
	lsrs	r0, r1, #1
	bcc	7f
6:	adds	r1, #1
7:
	.endm

	.macro chunk name
	.balign	4
\name:
	.endm

	chunk	mul
	push	{r3, r5, r6, r7}
	lsls	r3, r0, #1
	lsrs	r3, r3, #24		@ exponents: 1 to 254
	subs	r6, r3, #1
	cmp	r6, #253
	bhi	9f
	lsls	r5, r1, #1
	lsrs	r5, r5, #24
	subs	r6, r5, #1
	cmp	r6, #253
	bhi	9f
	adds	r3, r3, r5
	subs	r3, #127		@ the result's, less one if its mantissa is below 2: 0 to 252
	subs	r6, r3, #1
	cmp	r6, #251
	bhi	9f
	movs	r6, r0
	eors	r6, r1
	lsrs	r6, r6, #31
	lsls	r6, r6, #31		@ sign
	movs	r7, #128
	lsls	r0, r0, #8
	lsls	r1, r1, #8
	lsls	r7, r7, #24
	orrs	r0, r7
	orrs	r1, r7
	lsrs	r5, r0, #16		@ mantissas as 16 and 8 bits
	lsrs	r7, r1, #16
	lsls	r0, r0, #16
	lsls	r1, r1, #16
	lsrs	r0, r0, #24
	lsrs	r1, r1, #24
	movs	r2, r5
	muls	r2, r7			@ high by high
	muls	r5, r1
	muls	r7, r0
	muls	r0, r1			@ low by low
	adds	r5, r5, r7
	lsrs	r1, r0, #8
	adds	r5, r5, r1
	lsls	r7, r0, #24
	lsrs	r1, r5, #8
	lsls	r5, r5, #24
	orrs	r7, r5			@ what lies below the 32 bits
	adds	r0, r2, r1
	bmi	1f
	lsls	r0, r0, #1
	subs	r3, #1
1:	rounded	r7
	lsls	r3, r3, #23
	adds	r0, r1, r3
	orrs	r0, r6
	pop	{r3, r5, r6, r7}
	bx	lr
9:	library	mul

	chunk	sub
	push	{r3, r5, r6, r7}
	movs	r3, #128
	lsls	r3, r3, #24
	eors	r1, r3
	b	1f
add:
	push	{r3, r5, r6, r7}
1:	lsls	r3, r0, #1
	lsls	r5, r1, #1
	cmp	r3, r5
	bhs	1f
	movs	r6, r0			@ the larger one first
	movs	r0, r1
	movs	r1, r6
	movs	r6, r3
	movs	r3, r5
	movs	r5, r6
1:	lsrs	r3, r3, #24
	lsrs	r5, r5, #24
	beq	8f
	movs	r7, r3			@ exponents that neither overflow nor get subnormal
	subs	r7, #26
	cmp	r7, #227
	bhi	9f
	movs	r2, r0			@ sign
	movs	r6, r0
	eors	r6, r1			@ bit 31: opposite signs
	movs	r7, #128
	lsls	r0, r0, #8
	lsls	r1, r1, #8
	lsls	r7, r7, #24
	orrs	r0, r7
	orrs	r7, r1
	movs	r1, r7
	subs	r5, r3, r5
	lsrs	r7, r5			@ the smaller one where it belongs
	rsbs	r5, r5, #0
	adds	r5, #32
	lsls	r1, r5			@ what falls out: farther than 32 it does not count
	beq	2f
	movs	r1, #1
	orrs	r7, r1
2:	cmp	r6, #0
	bmi	4f
	adds	r0, r0, r7
	bcc	5f
	movs	r1, #1			@ one bit more
	ands	r1, r0
	lsrs	r0, r0, #1
	orrs	r0, r1
	movs	r1, #128
	lsls	r1, r1, #24
	orrs	r0, r1
	adds	r3, #1
	b	5f
4:	subs	r0, r0, r7
	bmi	5f
	beq	3f
1:	subs	r3, #1
	lsls	r0, r0, #1
	bpl	1b
5:	rounded
	subs	r3, #1
	lsls	r3, r3, #23
	adds	r0, r1, r3
	lsrs	r2, r2, #31
	lsls	r2, r2, #31
	orrs	r0, r2
3:	pop	{r3, r5, r6, r7}
	bx	lr
8:	lsls	r6, r1, #1		@ a normal number and a zero
	bne	9f
	subs	r6, r3, #1
	cmp	r6, #253
	bls	3b
9:	library	add

@ r0 = 1 if r0 \condition r1, else 0: by numbers that sort as the floats do, both zeros being 0; NaN is above 0xFF000000 without its sign.
	.macro compared name, condition, unordered
	chunk	\name
	push	{r3}
	movs	r2, #255
	lsls	r2, r2, #24
	lsls	r3, r0, #1
	cmp	r3, r2
	bhi	2f
	lsls	r3, r1, #1
	cmp	r3, r2
	bhi	2f
	asrs	r2, r0, #31
	lsrs	r3, r2, #1
	eors	r0, r3
	subs	r0, r0, r2
	asrs	r2, r1, #31
	lsrs	r3, r2, #1
	eors	r1, r3
	subs	r1, r1, r2
	cmp	r0, r1
	b\condition	1f
	movs	r0, #0
	pop	{r3}
	bx	lr
1:	movs	r0, #1
	pop	{r3}
	bx	lr
2:	movs	r0, #\unordered
	pop	{r3}
	bx	lr
	.endm

	compared	eq, eq, 0
	compared	ne, ne, 1
	compared	lt, lt, 0
	compared	gt, gt, 0
	compared	le, le, 0
	compared	ge, ge, 0
end:
