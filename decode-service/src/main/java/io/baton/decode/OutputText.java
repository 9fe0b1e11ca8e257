package io.baton.decode;

import io.baton.text.IncrementalDetokenizer;
import io.baton.text.Tokenizer;
import java.util.Arrays;
import java.util.List;

/**
 * One answer's text: tokens become characters as soon as these are whole, and characters are shown as soon as they
 * cannot become part of a stop string. A function of the tokens alone, so that a node which goes on with another node's
 * sequence rebuilds the state by feeding the tokens known so far. Confined to whoever owns the sequence, in turn.
 */
final class OutputText {

    /** What a detokenizer may look back at: a character is at most four tokens of one byte. */
    private static final int TAIL_TOKENS = 16;

    private final IncrementalDetokenizer detokenizer;
    private final int vocabularySize;
    private final StopMatcher stops;

    OutputText(Tokenizer tokenizer, int[] prompt, List<String> stopStrings) {
        int[] tail = Arrays.copyOfRange(prompt, Math.max(0, prompt.length - TAIL_TOKENS), prompt.length);
        this.detokenizer = tokenizer.detokenizer(tail);
        this.vocabularySize = tokenizer.vocabularySize();
        this.stops = new StopMatcher(stopStrings);
    }

    /** Text that became certain with this token; it can be empty. */
    String append(int token) {
        // An output matrix can be padded beyond the vocabulary; such a row has no text.
        return token < vocabularySize ? stops.append(detokenizer.append(token)) : "";
    }

    /** Whether a stop string was completed; no token may follow. */
    boolean stopped() {
        return stops.stopped();
    }

    /** The text still held back when the sequence ended. Called once, last. */
    String finish() {
        if (stops.stopped()) {
            return "";
        }
        String shown = stops.append(detokenizer.finish());
        return stops.stopped() ? shown : shown + stops.finish();
    }
}
