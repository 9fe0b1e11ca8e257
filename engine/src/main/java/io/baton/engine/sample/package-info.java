/**
 * From logits to a token. {@link io.baton.engine.sample.SamplingParameters} say how; a
 * {@link io.baton.engine.sample.Sampler} per sequence applies them: {@link io.baton.engine.sample.LogitStep}s
 * (penalties, bias), then {@link io.baton.engine.sample.Temperature}, then {@link io.baton.engine.sample.Filter}s
 * (top-k, top-p, min-p, typical) over the shared {@link io.baton.engine.sample.Candidates}, then one draw from the
 * counter-based {@link io.baton.engine.sample.Philox}, so that a draw depends on (seed, choice, output index, draw)
 * alone. Used by the scheduler thread.
 */
@NullMarked
package io.baton.engine.sample;

import org.jspecify.annotations.NullMarked;
