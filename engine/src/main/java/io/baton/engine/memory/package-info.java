/**
 * Off-heap memory. {@link io.baton.engine.memory.KvPool} holds all blocks of a node in the byte layout that
 * {@link io.baton.engine.memory.KvLayout} defines; {@link io.baton.engine.memory.OffHeap} is how kernels reach memory
 * by address; {@link io.baton.engine.memory.MemoryBudget} adds up what a process will take and refuses what does not
 * fit. A pool's bookkeeping is the scheduler thread's; its bytes are written by whoever holds the block.
 */
@NullMarked
package io.baton.engine.memory;

import org.jspecify.annotations.NullMarked;
