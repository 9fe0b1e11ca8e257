/**
 * KV blocks on the wire. A sending node gives a {@link io.baton.transfer.KvSender} the events of one prefill and a
 * {@link io.baton.transfer.UnitSource}; a receiving node opens a {@link io.baton.transfer.KvReceiver}, grants it a
 * {@link io.baton.transfer.UnitTarget} and is told a {@link io.baton.transfer.ReceiveOutcome}.
 * {@link io.baton.transfer.PrefillMethod} and {@link io.baton.transfer.FetchMethod} are the gRPC methods; frames are
 * written by {@code FrameEncoder} and read by {@code FrameReader}, and {@code KvIntake} decides what may be written
 * where. The sender's events may come from the engine's scheduler thread, which never copies: copies out of the pool
 * run on the sender executor, one at a time per stream. The receiver's checks, copies and callbacks run on its call's
 * executor, one at a time per call. The package deals in memory segments and knows nothing of models.
 */
@NullMarked
package io.baton.transfer;

import org.jspecify.annotations.NullMarked;
