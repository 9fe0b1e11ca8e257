package io.baton.model.files;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * SHA-256 of a vocabulary as a function between text and tokens. What cannot change that function is left out: the
 * names of files and formats, padding entries, the absolute size of SentencePiece scores (only the order of tokens that
 * merging can make counts, and that is how a Hugging Face list of merges and a GGUF list of scores come to the same
 * digest).
 */
final class TokenizerDigest {

    private TokenizerDigest() {}

    static byte[] of(Optional<VocabularyFile> vocabulary) {
        LengthPrefixedDigest digest = new LengthPrefixedDigest().text("baton tokenizer 1");
        vocabulary.ifPresent(found -> add(found, digest));
        return digest.finish();
    }

    private static void add(VocabularyFile vocabulary, LengthPrefixedDigest digest) {
        boolean sentencePiece = vocabulary.model().equals("llama");
        boolean scored = sentencePiece && vocabulary.scores().length > 0;
        digest.text(vocabulary.model()).text(sentencePiece ? "" : vocabulary.preTokenizer());
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.tokens().get(id);
            if (!text.equals("[PAD" + id + "]")) {
                digest.number(id).text(text).number(vocabulary.kinds().get(id).ggufId());
            }
        }
        digest.number(-1);
        if (scored) {
            for (int rank : mergeOrder(vocabulary)) {
                digest.number(rank);
            }
        } else {
            digest.number(vocabulary.merges().size());
            for (VocabularyFile.Merge merge : vocabulary.merges()) {
                digest.text(merge.left()).text(merge.right());
            }
        }
        digest.number(vocabulary.addBos() ? vocabulary.special().bos().orElse(-1) : -1);
        digest.number(vocabulary.addEos() ? vocabulary.special().eos().orElse(-1) : -1);
        digest.number(vocabulary.addSpacePrefix() ? 1 : 0);
        digest.number(vocabulary.ignoreMerges() ? 1 : 0);
        TextRules rules = vocabulary.rules();
        digest.number(rules.compose() ? 1 : 0).number(rules.prefixOnce() ? 1 : 0);
        String absorbing = new TreeSet<>(rules.absorbsBefore()) + "," + new TreeSet<>(rules.absorbsAfter());
        boolean anywhere =
                rules.wholeWords().isEmpty() && rules.foundNormalized().isEmpty();
        String finding = new TreeSet<>(rules.wholeWords()) + "," + new TreeSet<>(rules.foundNormalized());
        digest.text(anywhere ? absorbing : absorbing + "," + finding);
    }

    /** Per token, how many distinct scores of mergeable tokens are higher; −1 for tokens that no merge makes. */
    private static int[] mergeOrder(VocabularyFile vocabulary) {
        List<String> tokens = vocabulary.tokens();
        float[] scores = vocabulary.scores();
        Map<String, Boolean> mergeableTexts = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            mergeableTexts.put(
                    tokens.get(id), SpmMerges.takesPart(vocabulary.kinds().get(id)));
        }
        boolean[] mergeable = new boolean[tokens.size()];
        TreeSet<Float> distinct = new TreeSet<>();
        for (int id = 0; id < tokens.size() && scores.length > 0; id++) {
            String text = tokens.get(id);
            mergeable[id] = SpmMerges.takesPart(vocabulary.kinds().get(id))
                    && SpmMerges.splits(text, part -> mergeableTexts.getOrDefault(part, false)) > 0;
            if (mergeable[id]) {
                distinct.add(scores[id]);
            }
        }
        Map<Float, Integer> ranks = new HashMap<>();
        for (float score : distinct.descendingSet()) {
            ranks.put(score, ranks.size());
        }
        int[] order = new int[tokens.size()];
        for (int id = 0; id < order.length; id++) {
            order[id] = mergeable[id] ? ranks.getOrDefault(scores[id], -1) : -1;
        }
        return order;
    }
}
