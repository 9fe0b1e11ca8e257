package io.baton.engine;

import io.baton.kv.SequenceRoot;

/**
 * A prompt to compute the KV and the last hidden state of.
 *
 * @param owner names the request in leases and logs
 * @param tokens prompt, then output already emitted; at least one
 * @param root identity of the sequence
 */
public record PrefillRequest(String owner, int[] tokens, SequenceRoot root, int priority) {}
