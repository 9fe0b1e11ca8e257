package io.baton.model.files;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns a list of merges back into scores, where it was made from them. Converters from SentencePiece write, for each
 * token by falling score, all splits of it into two tokens; a list of exactly that form is the same information as the
 * scores, and a model that comes both ways then has one vocabulary. (Where two splits of one token overlap in a text,
 * SentencePiece takes the leftmost, which is what the model was trained with.)
 */
final class SentencePieceScores {

    private SentencePieceScores() {}

    /** A score for each token, higher merging first; empty when the list is of another form. */
    static Optional<float[]> of(List<String> tokens, List<TokenKind> kinds, List<VocabularyFile.Merge> merges) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            if (SpmMerges.takesPart(kinds.get(id))) {
                ids.putIfAbsent(tokens.get(id), id);
            }
        }
        int[] splits = new int[tokens.size()];
        float[] scores = new float[tokens.size()];
        int last = -1;
        int rank = 0;
        for (VocabularyFile.Merge merge : merges) {
            int id = ids.getOrDefault(merge.left() + merge.right(), -1);
            if (id < 0 || !ids.containsKey(merge.left()) || !ids.containsKey(merge.right())) {
                return Optional.empty();
            }
            if (id != last) {
                if (splits[id] != 0) {
                    return Optional.empty(); // its merges are not next to each other
                }
                scores[id] = -rank++;
                last = id;
            }
            splits[id]++;
        }
        for (int id = 0; id < splits.length; id++) {
            if (SpmMerges.takesPart(kinds.get(id))
                    && SpmMerges.splits(tokens.get(id), ids::containsKey) != splits[id]) {
                return Optional.empty();
            }
            if (splits[id] == 0) {
                scores[id] = -rank; // never merged, so never compared
            }
        }
        return Optional.of(scores);
    }
}
