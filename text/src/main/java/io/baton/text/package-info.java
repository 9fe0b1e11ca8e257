/**
 * Text to tokens and back. {@link io.baton.text.Tokenizer} is built once from a vocabulary and is immutable: any thread
 * may use it. It splits off special texts, hands the rest to one of two encoders (SentencePiece BPE, byte-level BPE),
 * which share one merge table and one merger. An {@link io.baton.text.IncrementalDetokenizer} belongs to one sequence
 * and one thread at a time.
 */
@NullMarked
package io.baton.text;

import org.jspecify.annotations.NullMarked;
