# The way into a kernel's C code as a program of Linux for Xtensa: a stack, `run`, exit.
    .globl _start
    .literal_position
    .literal .Ltop, top
    .literal .Lrun, run
    .align 4
_start:
    l32r a1, .Ltop
    l32r a3, .Lrun
    callx0 a3
    movi a2, 118
    movi a6, 0
    syscall
    .bss
    .align 16
    .space 4096
top:
    .space 16
