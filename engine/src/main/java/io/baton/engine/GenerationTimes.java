package io.baton.engine;

import java.time.Duration;

/**
 * What the first token's way through this engine took.
 *
 * @param admission from submission until blocks were committed
 * @param prefillQueue local prefill: waiting for its first chunk; else zero
 * @param prefillCompute local prefill: from its first chunk to its last, decode steps between them included; else zero
 * @param firstStep from activation, or the end of local prefill, to the first token
 */
public record GenerationTimes(Duration admission, Duration prefillQueue, Duration prefillCompute, Duration firstStep) {}
