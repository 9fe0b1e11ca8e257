package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import io.baton.model.files.VocabularyFile.Merge;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A second oracle for byte-level BPE: tiktoken's vocabularies, whose merges follow from the ranks of their tokens. */
class TiktokenVectorsTest {

    @ParameterizedTest
    @CsvSource({"r50k_base, gpt-2", "cl100k_base, llama-bpe"})
    void everyVectorOfTiktokenIsReproduced(String name, String preTokenizer) {
        Tokenizer tokenizer = Tokenizer.of(
                vocabulary(PublishedFiles.text("tokenizers/tiktoken-ranks/" + name + ".tiktoken"), preTokenizer));
        List<List<String>> rows = csv(PublishedFiles.text("tokenizers/tiktoken-vectors/" + name + "_encodings.csv"));
        assertThat(rows.size()).isGreaterThan(50);
        for (List<String> row : rows.subList(1, rows.size())) {
            int[] expected = Arrays.stream(
                            row.get(1).replaceAll("[\\[\\] ]", "").split(","))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            assertThat(tokenizer.encode(row.getFirst(), EncodeOptions.PLAIN))
                    .as(row.getFirst())
                    .containsExactly(expected);
            assertThat(tokenizer.decode(expected)).isEqualTo(row.getFirst());
        }
    }

    private static VocabularyFile vocabulary(String ranks, String preTokenizer) {
        List<String> tokens = ranks.lines()
                .map(line -> spelled(Base64.getDecoder().decode(line.substring(0, line.indexOf(' ')))))
                .toList();
        Map<String, Integer> rankOf = new HashMap<>();
        tokens.forEach(token -> rankOf.put(token, rankOf.size()));
        List<Merge> merges = new ArrayList<>();
        for (String token : tokens) {
            if (token.length() > 1) {
                merges.add(lastMerge(token, rankOf));
            }
        }
        SpecialTokens none = new SpecialTokens(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), Set.of());
        return new VocabularyFile(
                "gpt2",
                preTokenizer,
                tokens,
                new float[0],
                Collections.nCopies(tokens.size(), TokenKind.NORMAL),
                merges,
                none,
                false,
                false,
                false,
                true,
                Optional.empty());
    }

    /** The two parts that are left when only tokens of lower rank may be made. */
    private static Merge lastMerge(String token, Map<String, Integer> rankOf) {
        List<String> parts = new ArrayList<>(
                token.chars().mapToObj(c -> String.valueOf((char) c)).toList());
        while (parts.size() > 2) {
            int best = -1;
            int bestRank = rankOf.getOrDefault(token, 0);
            for (int i = 0; i + 1 < parts.size(); i++) {
                int rank = rankOf.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
                if (rank < bestRank) {
                    bestRank = rank;
                    best = i;
                }
            }
            if (best < 0) {
                break;
            }
            parts.set(best, parts.get(best) + parts.remove(best + 1));
        }
        assertThat(parts).hasSize(2);
        return new Merge(parts.get(0), parts.get(1));
    }

    private static String spelled(byte[] bytes) {
        String latin1 = new String(bytes, StandardCharsets.ISO_8859_1);
        return latin1.chars()
                .mapToObj(value -> String.valueOf(ByteAlphabet.character(value)))
                .reduce("", String::concat);
    }

    private static List<List<String>> csv(String text) {
        List<List<String>> rows = new ArrayList<>();
        List<String> row = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            if (quoted) {
                if (character != '"') {
                    field.append(character);
                } else if (i + 1 < text.length() && text.charAt(i + 1) == '"') {
                    field.append('"');
                    i++;
                } else {
                    quoted = false;
                }
            } else if (character == '"') {
                quoted = true;
            } else if (character == ',' || character == '\n') {
                row.add(field.toString());
                field.setLength(0);
                if (character == '\n') {
                    rows.add(List.copyOf(row));
                    row.clear();
                }
            } else if (character != '\r') {
                field.append(character);
            }
        }
        return rows;
    }
}
