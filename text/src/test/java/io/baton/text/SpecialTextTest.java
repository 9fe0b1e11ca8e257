package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.model.files.TextRules;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SpecialTextTest {

    private static final EncodeOptions PARSED = new EncodeOptions(false, true);

    private final Tokenizer scored = Tokenizer.of(TestingVocabularies.sentencePiece(
            List.of("\u2581", "<", "s", ">", "<s", "s>", "h", "i", "hi", "\u2581hi")));
    private final Tokenizer byteLevel = Tokenizer.of(TestingVocabularies.byteLevel("gpt-2", List.of()));

    @Test
    void theLiteralTextOfAControlTokenIsPlainTextUnlessAskedFor() {
        int bos = scored.bos().orElseThrow();
        assertThat(scored.encode("<s>", EncodeOptions.PLAIN)).doesNotContain(bos);
        assertThat(scored.decode(scored.encode("<s>", EncodeOptions.PLAIN))).isEqualTo("<s>");
        assertThat(scored.encode("<s>", PARSED)).containsExactly(bos);
        int end = byteLevel.bos().orElseThrow();
        assertThat(byteLevel.encode("<|end|>", EncodeOptions.PLAIN)).hasSize(7).doesNotContain(end);
        assertThat(byteLevel.encode("a<|end|>b", PARSED)).containsExactly('a', end, 'b');
    }

    @Test
    void theLiteralNameOfAByteIsText() {
        assertThat(scored.decode(scored.encode("<0x0A>", PARSED))).isEqualTo("<0x0A>");
    }

    @Test
    void userDefinedTokensAreAlwaysTakenWhole() {
        int tool = scored.vocabularySize() - 1;
        assertThat(scored.encode("<tool>", EncodeOptions.PLAIN)).containsExactly(tool);
        assertThat(byteLevel.encode("<tool>", EncodeOptions.PLAIN)).containsExactly(byteLevel.vocabularySize() - 1);
        assertThat(scored.decode(new int[] {tool})).isEqualTo("<tool>");
    }

    @Test
    void aTokenThatMustBeAWholeWordIsTextBesideWordCharacters() {
        VocabularyFile plain = TestingVocabularies.byteLevel("gpt-2", List.of());
        int tool = plain.size() - 1;
        VocabularyFile whole = new VocabularyFile(
                plain.model(),
                plain.preTokenizer(),
                plain.tokens(),
                plain.scores(),
                plain.kinds(),
                plain.merges(),
                plain.special(),
                false,
                false,
                false,
                false,
                Optional.empty(),
                new TextRules(false, false, Set.of(), Set.of(tool), Set.of(tool), Set.of()));
        Tokenizer tokenizer = Tokenizer.of(whole);
        assertThat(tokenizer.encode("<tool>", EncodeOptions.PLAIN)).containsExactly(tool);
        assertThat(tokenizer.encode("-<tool> \u00A0-", EncodeOptions.PLAIN))
                .as("it swallows the space behind it, of whatever kind")
                .containsExactly('-', tool, '-');
        for (String beside : List.of("a<tool>", "<tool>a", "<tool>_", "9<tool>", "<tool>\u0301", "中<tool>")) {
            assertThat(tokenizer.encode(beside, EncodeOptions.PLAIN)).as(beside).doesNotContain(tool);
            assertThat(tokenizer.decode(tokenizer.encode(beside, EncodeOptions.PLAIN)))
                    .isEqualTo(beside);
        }
    }

    @Test
    void controlTokensPrintNothing() {
        assertThat(scored.bytes(1)).isEmpty();
        assertThat(scored.text(1)).isEqualTo("<s>");
    }

    @Test
    void bosIsAddedOnlyWhereTheVocabularyAsksForIt() {
        assertThat(scored.encode("hi", EncodeOptions.PROMPT)).startsWith(1);
        assertThat(scored.encode("", EncodeOptions.PROMPT)).containsExactly(1);
        assertThat(scored.encode("", EncodeOptions.PLAIN)).isEmpty();
        assertThat(byteLevel.encode("hi", EncodeOptions.PROMPT)).hasSize(2);
    }

    @Test
    void everyEndThatTheFileNamesOrThatItsTextGivesAwayEndsASequence() {
        assertThat(scored.endOfSequence()).containsExactly(2);
        VocabularyFile file = TestingVocabularies.byteLevel("gpt-2", List.of());
        assertThat(Tokenizer.of(file).endOfSequence()).containsExactly(256);
        assertThat(file.kinds().get(256)).isEqualTo(TokenKind.CONTROL);
    }

    @Test
    void aTokenOutsideTheVocabularyIsRefused() {
        assertThatThrownBy(() -> scored.bytes(scored.vocabularySize()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected 0 to " + (scored.vocabularySize() - 1));
        assertThatThrownBy(() -> scored.bytes(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anUnknownAlgorithmIsRefusedByName() {
        VocabularyFile file = TestingVocabularies.byteLevel("gpt-2", List.of());
        VocabularyFile unigram = new VocabularyFile(
                "t5",
                "",
                file.tokens(),
                file.scores(),
                file.kinds(),
                file.merges(),
                file.special(),
                false,
                false,
                false,
                false,
                Optional.empty());
        assertThatThrownBy(() -> Tokenizer.of(unigram))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("\"t5\"");
    }
}
