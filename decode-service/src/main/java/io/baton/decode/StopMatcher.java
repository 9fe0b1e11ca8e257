package io.baton.decode;

import java.util.List;

/**
 * Looks for stop strings in text that arrives piece by piece. Text that could still become a stop string is held back;
 * the result does not depend on where the pieces are cut. Not safe for concurrent use.
 *
 * <p>One Knuth-Morris-Pratt automaton per string: its state is the length of the longest prefix of the string that the
 * text ends with, so the longest state is exactly what must be held back, and a match can never reach into text that
 * was let through.
 */
final class StopMatcher {

    private final String[] strings;
    private final int[][] borders; // per string and length: the longest proper prefix that is also a suffix
    private final int[] matched;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    StopMatcher(List<String> strings) {
        this.strings = strings.toArray(String[]::new);
        this.matched = new int[this.strings.length];
        this.borders = new int[this.strings.length][];
        for (int i = 0; i < borders.length; i++) {
            borders[i] = borders(this.strings[i]);
        }
    }

    /** Takes the next piece and returns the text that is now certain. Nothing is certain after a match. */
    String append(String piece) {
        if (stopped) {
            throw new IllegalStateException("a stop string has matched; no text follows it");
        }
        for (int i = 0; i < piece.length(); i++) {
            held.append(piece.charAt(i));
            int length = longestMatchAfter(piece.charAt(i));
            if (length > 0) {
                stopped = true;
                held.setLength(held.length() - length);
                return release(held.length());
            }
        }
        return release(held.length() - longestPartialMatch());
    }

    /** Whether a stop string was completed. The text before it has been returned, the string itself never is. */
    boolean stopped() {
        return stopped;
    }

    /** The text held back so far, which is certain now because nothing follows it. Empty after a match. */
    String finish() {
        return release(held.length());
    }

    /** The length of the longest string that {@code next} completes; 0 for none. */
    private int longestMatchAfter(char next) {
        int longest = 0;
        for (int i = 0; i < strings.length; i++) {
            int state = matched[i];
            while (state > 0 && strings[i].charAt(state) != next) {
                state = borders[i][state];
            }
            if (strings[i].charAt(state) == next) {
                state++;
            }
            matched[i] = state;
            if (state == strings[i].length()) {
                longest = Math.max(longest, state);
            }
        }
        return longest;
    }

    private int longestPartialMatch() {
        int longest = 0;
        for (int state : matched) {
            longest = Math.max(longest, state);
        }
        return longest;
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    private static int[] borders(String string) {
        int[] borders = new int[string.length() + 1];
        int border = 0;
        for (int length = 2; length <= string.length(); length++) {
            char next = string.charAt(length - 1);
            while (border > 0 && string.charAt(border) != next) {
                border = borders[border];
            }
            if (string.charAt(border) == next) {
                border++;
            }
            borders[length] = border;
        }
        return borders;
    }
}
