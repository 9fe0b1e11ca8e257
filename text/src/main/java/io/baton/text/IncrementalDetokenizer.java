package io.baton.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * The text of one sequence as its tokens arrive. It never gives half a character: bytes that may still become one are
 * kept for the next token, bytes that cannot become U+FFFD at once. The pieces and {@link #finish()} together are the
 * text of all tokens decoded at once.
 *
 * <p>SentencePiece vocabularies mark the start of a word with a space, the start of the text included; that first one
 * is dropped after a bos or when nothing comes before, as SentencePiece itself does.
 *
 * <p>Confined to its sequence's thread.
 */
public final class IncrementalDetokenizer {

    private final Tokenizer tokenizer;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] pending = {}; // the start of a character, at most three bytes
    private boolean dropSpace;

    IncrementalDetokenizer(Tokenizer tokenizer, int[] promptTail) {
        this.tokenizer = tokenizer;
        dropSpace = tokenizer.spacePrefix();
        for (int token : promptTail) {
            append(token);
        }
    }

    /** The characters that {@code token} completes; often one word, sometimes nothing. */
    public String append(int token) {
        byte[] bytes = tokenizer.bytes(token);
        int from = dropSpace && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
        dropSpace = tokenizer.spacePrefix() && tokenizer.isBos(token);
        ByteBuffer input = ByteBuffer.allocate(pending.length + bytes.length - from);
        input.put(pending).put(bytes, from, bytes.length - from).flip();
        String text = decode(input, false);
        pending = new byte[input.remaining()];
        input.get(pending);
        return text;
    }

    /** What is left when no token follows: U+FFFD for the start of a character that never came, else nothing. */
    public String finish() {
        String text = decode(ByteBuffer.wrap(pending), true);
        pending = new byte[0];
        return text;
    }

    private String decode(ByteBuffer input, boolean last) {
        // A byte gives at most one char: a malformed one U+FFFD, four of a supplementary character two.
        CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
        decoder.reset();
        CoderResult result = decoder.decode(input, output, last);
        if (result.isUnderflow() && last) {
            result = decoder.flush(output);
        }
        if (!result.isUnderflow()) {
            throw new IllegalStateException("a UTF-8 decoder that replaces gave " + result);
        }
        return output.flip().toString();
    }
}
