package io.baton.gateway;

import io.baton.proto.v1.ChoiceFinish;
import java.util.Arrays;
import java.util.Optional;

/** What is known of one answer: its tokens, the client's own first, and its end. Confined to the request's thread. */
final class ChoiceProgress {

    private final int number;
    private final int begunWith;
    private int[] output;
    private int tokens;
    private Optional<ChoiceFinish> end = Optional.empty();

    ChoiceProgress(int number, int[] emitted) {
        this.number = number;
        this.begunWith = emitted.length;
        this.output = emitted.clone();
        this.tokens = emitted.length;
    }

    int number() {
        return number;
    }

    /** Output tokens known, those the client came with included. */
    int tokens() {
        return tokens;
    }

    /** Those that were relayed in this call. */
    int relayed() {
        return tokens - begunWith;
    }

    int[] output() {
        return Arrays.copyOf(output, tokens);
    }

    void add(int token) {
        if (tokens == output.length) {
            output = Arrays.copyOf(output, Math.max(16, 2 * tokens));
        }
        output[tokens++] = token;
    }

    void finish(ChoiceFinish finish) {
        end = Optional.of(finish);
    }

    /** How it ended, if it has. */
    Optional<ChoiceFinish> end() {
        return end;
    }
}
