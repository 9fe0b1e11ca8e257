package io.baton.model.files;

import java.util.List;
import java.util.Optional;

/**
 * A vocabulary as the file has it; the tokenizer built on it lives elsewhere.
 *
 * @param model GGUF's name for the algorithm: {@code llama} for SentencePiece BPE by scores, {@code gpt2} for
 *     byte-level BPE by merge ranks; others may be in a file and are refused by who would have to run them
 * @param preTokenizer GGUF's name for how text is cut into words before merging; empty when the file names none
 * @param tokens texts by id
 * @param scores by id; higher merges first; empty when the model has none; a {@code llama} vocabulary without scores
 *     merges by ranks
 * @param kinds by id
 * @param merges lowest rank first; empty when the model has none
 * @param addBos whether a prompt starts with the bos token unless the caller says otherwise
 * @param addEos whether a prompt ends with the eos token unless the caller says otherwise
 * @param addSpacePrefix whether a space is put before a text that starts a sequence
 * @param ignoreMerges whether a word that is a token as a whole is taken without merging
 * @param chatTemplate Jinja source
 * @param rules what else happens to a text
 */
public record VocabularyFile(
        String model,
        String preTokenizer,
        List<String> tokens,
        float[] scores,
        List<TokenKind> kinds,
        List<Merge> merges,
        SpecialTokens special,
        boolean addBos,
        boolean addEos,
        boolean addSpacePrefix,
        boolean ignoreMerges,
        Optional<String> chatTemplate,
        TextRules rules) {

    /**
     * The longest text a token may have, so that work on all splits of a token is bounded; real ones end at some 256.
     */
    static final int MAX_TOKEN_LENGTH = 1024;

    /** Two tokens that become one. */
    public record Merge(String left, String right) {}

    public VocabularyFile {
        tokens = List.copyOf(tokens);
        scores = scores.clone();
        kinds = List.copyOf(kinds);
        merges = List.copyOf(merges);
        if (kinds.size() != tokens.size()) {
            throw new IllegalArgumentException("%d tokens, but %d kinds".formatted(tokens.size(), kinds.size()));
        }
        if (scores.length != 0 && scores.length != tokens.size()) {
            throw new IllegalArgumentException("%d tokens, but %d scores".formatted(tokens.size(), scores.length));
        }
    }

    /** A vocabulary with {@link TextRules#PLAIN}. */
    public VocabularyFile(
            String model,
            String preTokenizer,
            List<String> tokens,
            float[] scores,
            List<TokenKind> kinds,
            List<Merge> merges,
            SpecialTokens special,
            boolean addBos,
            boolean addEos,
            boolean addSpacePrefix,
            boolean ignoreMerges,
            Optional<String> chatTemplate) {
        this(
                model,
                preTokenizer,
                tokens,
                scores,
                kinds,
                merges,
                special,
                addBos,
                addEos,
                addSpacePrefix,
                ignoreMerges,
                chatTemplate,
                TextRules.PLAIN);
    }

    public int size() {
        return tokens.size();
    }

    @Override
    public float[] scores() {
        return scores.clone();
    }

    @Override
    public String toString() {
        return "%s/%s vocabulary of %d".formatted(model, preTokenizer, tokens.size());
    }
}
