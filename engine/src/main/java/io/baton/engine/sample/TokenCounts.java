package io.baton.engine.sample;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Which tokens a sequence has, and how often its output has each. */
final class TokenCounts {

    private final Set<Integer> seen = new HashSet<>();
    private final Map<Integer, Integer> inOutput = new HashMap<>();

    void addPrompt(int[] prompt) {
        for (int token : prompt) {
            seen.add(token);
        }
    }

    void addOutput(int token) {
        seen.add(token);
        inOutput.merge(token, 1, Integer::sum);
    }

    /** Tokens of prompt and output. */
    Set<Integer> seen() {
        return Collections.unmodifiableSet(seen);
    }

    Map<Integer, Integer> inOutput() {
        return Collections.unmodifiableMap(inOutput);
    }
}
