package io.baton.text;

import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * SentencePiece's BPE (Llama 2): spaces become ▁, the two neighbours whose concatenation has the highest score merge
 * first, and a character that is no token becomes its UTF-8 bytes. Only text takes part: the literal {@code <s>} or
 * {@code <0x0A>} in a text never becomes that token.
 *
 * <p>A vocabulary without scores (a Hugging Face list of merges) merges the pair of lowest rank instead.
 *
 * <p>Which pairs merge is precomputed from every split of every token, so that merging looks at numbers only. A
 * character that is no token is the symbol −1 − code point.
 */
final class SentencePieceEncoder implements TextEncoder {

    static final char SPACE = '\u2581';

    private final MergeTable merges;
    private final Map<Integer, Integer> characters = new HashMap<>();
    private final int[] byteTokens; // by byte value; empty when the vocabulary lacks some
    private final OptionalInt unknown;
    private final boolean wordsApart; // no token reaches over the start of a word, so that words can merge one by one

    SentencePieceEncoder(VocabularyFile vocabulary) {
        List<String> tokens = vocabulary.tokens();
        Map<String, Integer> ids = new HashMap<>();
        int splits = 0;
        for (int id = 0; id < tokens.size(); id++) {
            TokenKind kind = vocabulary.kinds().get(id);
            if (kind == TokenKind.NORMAL || kind == TokenKind.USER_DEFINED) {
                String text = tokens.get(id);
                ids.putIfAbsent(text, id);
                splits += text.length();
                if (!text.isEmpty() && text.codePointCount(0, text.length()) == 1) {
                    characters.putIfAbsent(text.codePointAt(0), id);
                }
            }
        }
        if (vocabulary.scores().length > 0) {
            int[] ranks = ranks(vocabulary.scores());
            merges = new MergeTable(splits);
            ids.forEach((text, id) -> addSplits(text, id, ranks[id], ids));
        } else {
            merges = MergeTable.ofRanked(vocabulary.merges(), ids);
        }
        wordsApart = ids.keySet().stream().allMatch(SentencePieceEncoder::beginsWithItsSpaces);
        byteTokens = byteTokens(vocabulary);
        unknown = vocabulary.special().unknown();
        if (byteTokens.length == 0 && unknown.isEmpty()) {
            throw new TokenizerException(
                    "vocabulary llama has neither all 256 byte tokens nor an unknown token; expected one of them for"
                            + " characters that are no token");
        }
    }

    /** How many distinct scores are higher, by id: equal scores have one rank and merge leftmost first. */
    private static int[] ranks(float[] scores) {
        float[] distinct = scores.clone();
        Arrays.sort(distinct);
        int count = 0;
        for (int i = 0; i < distinct.length; i++) {
            if (i == 0 || distinct[i] != distinct[i - 1]) {
                distinct[count++] = distinct[i];
            }
        }
        int[] ranks = new int[scores.length];
        for (int id = 0; id < ranks.length; id++) {
            // + 0f: −0 and 0 are one score
            ranks[id] = count - 1 - Math.max(0, Arrays.binarySearch(distinct, 0, count, scores[id]));
        }
        return ranks;
    }

    private void addSplits(String text, int id, int rank, Map<String, Integer> ids) {
        if (text.isEmpty()) {
            return;
        }
        for (int cut = text.offsetByCodePoints(0, 1); cut < text.length(); cut = text.offsetByCodePoints(cut, 1)) {
            OptionalInt left = symbol(text.substring(0, cut), ids);
            OptionalInt right = left.isPresent() ? symbol(text.substring(cut), ids) : left;
            if (right.isPresent()) {
                merges.put(left.getAsInt(), right.getAsInt(), rank, id);
            }
        }
    }

    private static OptionalInt symbol(String text, Map<String, Integer> ids) {
        Integer id = ids.get(text);
        if (id != null) {
            return OptionalInt.of(id);
        }
        int first = text.codePointAt(0);
        return text.length() == Character.charCount(first) ? OptionalInt.of(-1 - first) : OptionalInt.empty();
    }

    private static int[] byteTokens(VocabularyFile vocabulary) {
        int[] ids = new int[256];
        Arrays.fill(ids, -1);
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.kinds().get(id) == TokenKind.BYTE) {
                int value = byteValue(vocabulary.tokens().get(id));
                if (value >= 0) {
                    ids[value] = id;
                }
            }
        }
        return Arrays.stream(ids).allMatch(id -> id >= 0) ? ids : new int[0];
    }

    /** The byte that {@code <0x0A>} names; −1 for another text. */
    static int byteValue(String text) {
        if (text.length() != 6 || !text.startsWith("<0x") || text.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(text.charAt(3), 16);
        int low = Character.digit(text.charAt(4), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    @Override
    public void encode(String text, boolean spacePrefix, IntList tokens) {
        PairMerger merger = new PairMerger(merges);
        int[] symbols = new int[64];
        int count = 0;
        if (spacePrefix) {
            symbols[count++] = symbolOf(SPACE);
        }
        boolean afterSpace = true;
        for (int i = 0; i < text.length(); ) {
            int character = text.codePointAt(i);
            boolean space = character == ' ' || character == SPACE;
            if (space && !afterSpace && wordsApart) {
                emit(symbols, merger.merge(symbols, count), tokens);
                count = 0;
            }
            if (count == symbols.length) {
                symbols = Arrays.copyOf(symbols, 2 * count);
            }
            symbols[count++] = symbolOf(space ? SPACE : character);
            afterSpace = space;
            i += Character.charCount(character);
        }
        emit(symbols, merger.merge(symbols, count), tokens);
    }

    private void emit(int[] symbols, int count, IntList tokens) {
        for (int i = 0; i < count; i++) {
            if (symbols[i] >= 0) {
                tokens.add(symbols[i]);
            } else {
                fallBack(-1 - symbols[i], tokens);
            }
        }
    }

    /** Whether a space that follows another character begins this token or is not in it. */
    private static boolean beginsWithItsSpaces(String text) {
        for (int i = 1; i < text.length(); i++) {
            if (text.charAt(i) == SPACE && text.charAt(i - 1) != SPACE) {
                return false;
            }
        }
        return true;
    }

    private int symbolOf(int character) {
        return characters.getOrDefault(character, -1 - character);
    }

    private void fallBack(int character, IntList tokens) {
        if (byteTokens.length == 0) {
            tokens.add(unknown.orElseThrow());
            return;
        }
        for (byte value : Character.toString(character).getBytes(StandardCharsets.UTF_8)) {
            tokens.add(byteTokens[value & 0xFF]);
        }
    }

    @Override
    public byte[] bytes(String token) {
        return token.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }
}
