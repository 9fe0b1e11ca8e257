/**
 * Kernels and the compute team's barrier one by one, as JMH benchmarks; {@code tools/jmh} runs them. What they compute
 * on is random; scores are times of one call.
 */
@NullMarked
package io.baton.bench.micro;

import org.jspecify.annotations.NullMarked;
