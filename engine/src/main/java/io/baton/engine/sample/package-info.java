/**
 * From logits to a token. {@link io.baton.engine.sample.SamplingParameters} say how; randomness is counter-based, so that a
 * draw depends on (seed, choice, output index, draw) alone. Used by the scheduler thread.
 */
@NullMarked
package io.baton.engine.sample;

import org.jspecify.annotations.NullMarked;
