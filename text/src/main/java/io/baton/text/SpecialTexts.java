package io.baton.text;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Finds the texts of special tokens in a text: leftmost first, the longest at each place; one that must be a whole word
 * and is not is passed over. A trie, filled once.
 */
final class SpecialTexts {

    private static final class Node {
        final Map<Character, Node> children = new HashMap<>();
        int token = -1;
    }

    /** A find: {@code token} spelled by {@code text[start .. end)}. */
    record Find(int token, int start, int end) {}

    private final Set<Integer> wholeWords;
    private final Node root = new Node();
    private final BitSet firstCharacters = new BitSet();

    /** @param wholeWords tokens that are found only where no word character stands beside them */
    SpecialTexts(Set<Integer> wholeWords) {
        this.wholeWords = wholeWords;
    }

    boolean isEmpty() {
        return firstCharacters.isEmpty();
    }

    void add(String text, int token) {
        if (text.isEmpty()) {
            return;
        }
        firstCharacters.set(text.charAt(0));
        Node node = root;
        for (int i = 0; i < text.length(); i++) {
            node = node.children.computeIfAbsent(text.charAt(i), character -> new Node());
        }
        if (node.token < 0) {
            node.token = token;
        }
    }

    /** The first special text at or after {@code from}; one of length 0 at the end of the text when there is none. */
    Find next(String text, int from) {
        for (int start = from; start < text.length(); start++) {
            if (firstCharacters.get(text.charAt(start))) {
                Find find = longest(text, start);
                if (find.token >= 0 && (!wholeWords.contains(find.token) || isWholeWord(text, find))) {
                    return find;
                }
                start = Math.max(start, find.end - 1);
            }
        }
        return new Find(-1, text.length(), text.length());
    }

    private static boolean isWholeWord(String text, Find find) {
        boolean wordBefore = find.start > 0 && CharacterClass.isWord(text.codePointBefore(find.start));
        return !wordBefore && (find.end == text.length() || !CharacterClass.isWord(text.codePointAt(find.end)));
    }

    private Find longest(String text, int start) {
        Find longest = new Find(-1, start, start);
        Node node = root;
        for (int i = start; i < text.length(); i++) {
            Node child = node.children.get(text.charAt(i));
            if (child == null) {
                break;
            }
            node = child;
            if (node.token >= 0) {
                longest = new Find(node.token, start, i + 1);
            }
        }
        return longest;
    }
}
