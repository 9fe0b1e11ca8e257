package io.baton.engine;

/** Which implementation of the kernels runs. All give the same bits. */
public enum KernelChoice {
    /** The fastest one this machine runs. */
    AUTO,
    /** Plain Java; the definition of the arithmetic. */
    SCALAR,
    /** The Java Vector API. */
    VECTOR,
    /** C, for the best instruction set this machine has. */
    NATIVE
}
