/**
 * Block identity and block accounting. {@link io.baton.kv.SequenceFingerprint} and {@link io.baton.kv.SequenceRoot} say
 * which function is computed for whom; {@link io.baton.kv.BlockChain} turns token ids into chained
 * {@link io.baton.kv.BlockHash}es, of which 128 bits are the {@link io.baton.kv.BlockKey}. Values are immutable and may
 * be used by any thread. {@link io.baton.kv.KvCache} admits sequences and counts; each holds its blocks through a
 * {@link io.baton.kv.BlockLease}; both, with the pool of ids and the prefix tree behind them, are confined to the
 * scheduler thread of their node.
 */
@NullMarked
package io.baton.kv;

import org.jspecify.annotations.NullMarked;
