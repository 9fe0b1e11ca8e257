/**
 * One request drawn over time in a terminal. Spans come from the SDK of this process
 * ({@link io.baton.cli.trace.SpanTap}) or over OTLP/gRPC from others ({@link io.baton.cli.trace.SpanReceiver}); a
 * {@link io.baton.cli.trace.TraceFeed} puts them together and {@link io.baton.cli.trace.Waterfall} draws each trace.
 */
@NullMarked
package io.baton.cli.trace;

import org.jspecify.annotations.NullMarked;
