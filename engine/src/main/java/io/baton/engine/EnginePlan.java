package io.baton.engine;

import io.baton.kv.SequenceFingerprint;

/**
 * What an engine would be, see {@link EngineHost#plan}.
 *
 * @param blocks of its KV pool
 * @param blockBytes of one of them, all layers
 * @param fingerprint of the sequences it would compute
 * @param memory everything its process would take, in one line for people
 */
public record EnginePlan(int blocks, long blockBytes, SequenceFingerprint fingerprint, String memory) {}
