/**
 * The decode tier. {@link io.baton.decode.DecodeNode} is one node: its engine, its gRPC server and its channels to
 * prefill nodes. Per request, {@link io.baton.decode.DecodeOrder} is the checked request,
 * {@link io.baton.decode.DecodeCall} takes it from receipt to its one end, {@link io.baton.decode.RemotePrefill} gets
 * its prompt's KV from a prefill node by one {@link io.baton.decode.PrefillAttempt} after another,
 * {@link io.baton.decode.OutputText} turns tokens into text and {@link io.baton.decode.EventStream} passes them on at
 * the gateway's pace.
 *
 * <p>The engine's scheduler thread calls {@code DecodeCall} for every token and only enqueues; a virtual thread per
 * request runs from admission until its prompt is prefilled; a virtual thread per {@code EventStream} writes while
 * there is something to write; gRPC threads bring in frames and cancellations.
 */
@NullMarked
package io.baton.decode;

import org.jspecify.annotations.NullMarked;
