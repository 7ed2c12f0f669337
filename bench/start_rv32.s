# The way into a kernel's C code as a program of Linux for RV32: a stack, `run`, exit.
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, top
    call run
    li a0, 0
    li a7, 93
    ecall
    .bss
    .balign 16
    .space 4096
top:
    .space 16
