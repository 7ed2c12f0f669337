@ The way into machine code and out of it on ARMv6-M: the one place that knows how MicroPython calls a viper function, as ``f(self, n_args,
@ n_kw, args)``, a small int being n * 2 + 1 (py/objfun.c, py/obj.h). It takes the record's address and returns the reason why it came back.
@
@ Offsets in the record are those of native/record.py; the saved registers are r0 to r3, r7, r8, r12. Which registers hold what in machine
@ code is told in thumb_code.py. tests/native/test_helpers.py assembles this and compares; `python -m tests.native.helpers` writes thumb_entry.py.

	.syntax unified
	.cpu cortex-m0
	.thumb

@ The entry leaves the code's own address in the record; where that names no place to go on at, that is all it does.
start:
	push	{r4, r5, r6, r7, lr}
	mov	r4, r8
	mov	r5, r9
	mov	r6, r10
	mov	r7, r11
	push	{r4, r5, r6, r7}
	ldr	r0, [r3]
	asrs	r0, r0, #1
	mov	r1, pc			@ 20 bytes from start
	subs	r1, #20
	str	r1, [r0, #124]
	movs	r1, #128
	adds	r1, r1, r0
	mov	r10, r1
	ldr	r1, [r0, #52]
	mov	r8, r1
	ldr	r1, [r0, #56]
	mov	r12, r1
	ldr	r2, [r0, #120]
	ldmia	r0!, {r3, r4, r6, r7}	@ where to go on, frame, memory, its length
	ldmia	r0!, {r1, r5}		@ frame limit, fuel
	mov	r11, r1
window:	@ code that does not subtract the window's base must see an empty window unless that is 0
	cmp	r2, #0
	beq	1f
	movs	r7, #0
1:
	mov	r9, r7
	cmp	r3, #0
	beq	exit_0
	bl	go
exit_0:	@ here the outermost function returns to
	mov	r9, r0
	movs	r0, #1

@ All exits come here: r0 the reason as a small int, r9 what r0 was, behind the call (lr) two halfwords where the reason has more to tell.
leave:
	mov	r11, r1
	mov	r1, r10
	subs	r1, #88
	stmia	r1!, {r2, r3, r7}
	mov	r2, r8
	mov	r3, r12
	stmia	r1!, {r2, r3}
	subs	r1, #60
	mov	r2, r9
	mov	r3, r11
	str	r2, [r1, #32]
	str	r3, [r1, #36]
	str	r4, [r1, #4]
	str	r5, [r1, #20]
	mov	r2, lr
	subs	r3, r0, #5
	cmp	r3, #4
	bhi	2f
	subs	r2, #1			@ HOST, ACCESS, OP: read what is told, and step over it
	ldrh	r3, [r2]
	str	r3, [r1, #24]
	ldrh	r3, [r2, #2]
	str	r3, [r1, #28]
	adds	r2, #5
2:
	str	r2, [r1]
	pop	{r4, r5, r6, r7}
	mov	r8, r4
	mov	r9, r5
	mov	r10, r6
	mov	r11, r7
	pop	{r4, r5, r6, r7, pc}

@ The exits, called by BL. Those that are never come back from, and a host call, whose result comes in r0, need not keep r0.
exit_1:
	mov	r9, r0
	movs	r0, #3
	b	leave
exit_2:
	movs	r0, #5
	b	leave
exit_3:
	mov	r9, r0
	movs	r0, #7
	b	leave
exit_4:
	mov	r9, r0
	movs	r0, #9
	b	leave
exit_5:
	movs	r0, #11
	b	leave
exit_7:
	movs	r0, #15
	b	leave
exit_8:
	movs	r0, #17
	b	leave

@ Load the saved registers and go on at r3; r0 points into the record, at what is told.
go:
	adds	r0, #8
	ldmia	r0!, {r1}
	push	{r1, r3}
	ldmia	r0!, {r1, r2, r3, r7}
	pop	{r0, pc}

	.balign	4, 0
end:

@ What `window` is where the base is subtracted: r12 less the base.
based:
	rsbs	r2, r2, #0
	mov	r12, r2
	nop
based_end:
