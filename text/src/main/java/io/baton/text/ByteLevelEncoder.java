package io.baton.text;

import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Byte-level BPE (GPT-2, Llama 3, Qwen2): text is cut into words, and the bytes of a word merge by the rank of pairs.
 */
final class ByteLevelEncoder implements TextEncoder {

    private final WordRule rule;
    private final MergeTable merges;
    private final int[] byteTokens = new int[256];
    private final Map<String, Integer> wholeWords; // empty unless whole words go before merges

    ByteLevelEncoder(VocabularyFile vocabulary) {
        rule = WordRule.named(vocabulary.preTokenizer());
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.kinds().get(id) == TokenKind.NORMAL) {
                ids.putIfAbsent(vocabulary.tokens().get(id), id);
            }
        }
        OptionalInt unknown = vocabulary.special().unknown();
        for (int value = 0; value < 256; value++) {
            Integer id = ids.get(String.valueOf(ByteAlphabet.character(value)));
            if (id == null && unknown.isEmpty()) {
                throw new TokenizerException(
                        "vocabulary %s has no token for byte 0x%02X and no unknown token; expected one of them"
                                .formatted(vocabulary.model(), value));
            }
            byteTokens[value] = id != null ? id : unknown.getAsInt();
        }
        merges = MergeTable.ofRanked(vocabulary.merges(), ids);
        wholeWords = vocabulary.ignoreMerges() ? ids : Map.of();
    }

    @Override
    public void encode(String unprefixed, boolean spacePrefix, IntList tokens) {
        String text = spacePrefix ? " " + unprefixed : unprefixed;
        PairMerger merger = new PairMerger(merges);
        int[] symbols = new int[64];
        for (int start = 0; start < text.length(); ) {
            int end = rule.wordEnd(text, start);
            byte[] word = text.substring(start, end).getBytes(StandardCharsets.UTF_8);
            start = end;
            if (!wholeWords.isEmpty()) {
                Integer whole = wholeWords.get(spelled(word));
                if (whole != null) {
                    tokens.add(whole);
                    continue;
                }
            }
            if (symbols.length < word.length) {
                symbols = new int[word.length];
            }
            for (int i = 0; i < word.length; i++) {
                symbols[i] = byteTokens[word[i] & 0xFF];
            }
            tokens.addAll(symbols, merger.merge(symbols, word.length));
        }
    }

    private static String spelled(byte[] word) {
        char[] characters = new char[word.length];
        for (int i = 0; i < word.length; i++) {
            characters[i] = ByteAlphabet.character(word[i] & 0xFF);
        }
        return String.valueOf(characters);
    }

    @Override
    public byte[] bytes(String token) {
        return ByteAlphabet.bytes(token);
    }
}
