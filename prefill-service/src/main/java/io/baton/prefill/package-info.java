/**
 * The prefill tier. {@link io.baton.prefill.PrefillNode} is one running node, configured by
 * {@link io.baton.prefill.PrefillSettings}. {@code PrefillService} counts and refuses, {@code PrefillCall} hears one
 * call's control messages, {@code PrefillOrder} checks one request, and {@code PrefillRelay} joins one prefill of the
 * engine with the sender of its blocks. Control messages are handled on the server's virtual threads, events of a
 * prefill come on the engine's scheduler thread, and frames are copied and sent on the node's sender threads.
 */
@NullMarked
package io.baton.prefill;

import org.jspecify.annotations.NullMarked;
