package io.baton.decode;

import io.baton.engine.FinishReason;
import io.baton.engine.GenerationRequest;
import io.baton.text.Tokenizer;
import java.util.Optional;
import java.util.Set;

/**
 * The output of one choice: its text, how many tokens it has, and what of it is still to be said again. Owned by the
 * thread that reads the request, then by the scheduler thread.
 */
final class ChoiceOutput {

    private final DecodeOrder.Known known;
    private final OutputText text;
    private final Set<Integer> stopTokens;
    private final int maxTokens;
    private String again = ""; // what the withheld tokens say, until the first token has said it
    private int tokens;

    private ChoiceOutput(DecodeOrder order, DecodeOrder.Known known, Tokenizer tokenizer) {
        this.known = known;
        this.text = new OutputText(tokenizer, order.prompt(), order.stopStrings());
        this.stopTokens = order.stopTokens();
        this.maxTokens = order.maxTokens();
    }

    /** Brings the text to where the known output left it; what the withheld tokens say has not been said. */
    static ChoiceOutput replayed(DecodeOrder order, DecodeOrder.Known known, Tokenizer tokenizer) {
        ChoiceOutput output = new ChoiceOutput(order, known, tokenizer);
        output.say(known.emitted());
        output.again = output.say(known.withheld());
        return output;
    }

    private String say(int[] known) {
        tokens += known.length;
        StringBuilder said = new StringBuilder();
        for (int token : known) {
            if (!text.stopped()) {
                said.append(said(token));
            }
        }
        return said.toString();
    }

    int choice() {
        return known.choice();
    }

    GenerationRequest.Answer answer() {
        return new GenerationRequest.Answer(known.choice(), known.tokens());
    }

    DecodeOrder.Known known() {
        return known;
    }

    /** Why the known output is complete, if it is: its node was lost after the last token. */
    Optional<FinishReason> knownEnd() {
        int[] all = known.tokens();
        if (text.stopped() || (all.length > 0 && stopTokens.contains(all[all.length - 1]))) {
            return Optional.of(FinishReason.STOP);
        }
        return all.length >= maxTokens ? Optional.of(FinishReason.LENGTH) : Optional.empty();
    }

    /** The next token; what becomes certain with it. */
    String append(int token) {
        String piece = again + said(token);
        again = "";
        tokens++;
        return piece;
    }

    /** What a token adds to the text; a stop token nothing. */
    private String said(int token) {
        return stopTokens.contains(token) ? "" : text.append(token);
    }

    /** Whether a stop string was completed; no token may follow. */
    boolean stopped() {
        return text.stopped();
    }

    /** The text still held back at the end. Called once, last. */
    String finish() {
        return again + text.finish();
    }

    /** Output tokens, known ones included. */
    int tokens() {
        return tokens;
    }
}
