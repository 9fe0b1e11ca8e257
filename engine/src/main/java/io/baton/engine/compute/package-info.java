/**
 * Threads for kernels. {@link io.baton.engine.compute.ComputeTeam} is shared by all engines of a process; whoever's
 * turn it is becomes its worker 0. All of them give way to the threads that move messages, by
 * {@link io.baton.engine.compute.Niceness}.
 */
@NullMarked
package io.baton.engine.compute;

import org.jspecify.annotations.NullMarked;
