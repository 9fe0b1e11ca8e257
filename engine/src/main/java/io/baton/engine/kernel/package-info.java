/**
 * The arithmetic. {@link io.baton.engine.kernel.Kernels} defines it, {@link io.baton.engine.kernel.ScalarKernels} is
 * that definition in plain Java, {@link io.baton.engine.kernel.VectorKernels} gives the same bits with the Vector API.
 * Weights are {@link io.baton.engine.kernel.PackedMatrix panels} in one {@link io.baton.engine.kernel.MatrixFormat}; K
 * and V are written by {@link io.baton.engine.kernel.KvRows}. Kernels keep no state: any thread may call them on memory
 * that it owns.
 */
@NullMarked
package io.baton.engine.kernel;

import org.jspecify.annotations.NullMarked;
