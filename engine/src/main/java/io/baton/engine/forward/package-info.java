/**
 * The forward pass. {@link io.baton.engine.forward.Batch} holds the token rows of several sequences,
 * {@link io.baton.engine.forward.ForwardPass} runs them through the model and tells a
 * {@link io.baton.engine.forward.LayerListener} which layers are in the pool. Batch and pass belong to the scheduler
 * thread of one engine; the pass shares the compute team with other engines, one pass at a time.
 */
@NullMarked
package io.baton.engine.forward;

import org.jspecify.annotations.NullMarked;
