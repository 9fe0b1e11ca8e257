package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.Generation;
import io.baton.client.PrefillMode;
import io.baton.engine.ActivationMode;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.testing.SharedFiles;
import io.baton.testing.TinyModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One sequence, one answer: tokens and log probabilities, bit by bit, do not depend on where a prompt was prefilled, in
 * how many chunks, in which company, from a cache or not, in blocks of which size, by which kernels or how many
 * threads. The reference feeds the whole sequence again for every token.
 */
class OneAnswerTest {

    private static final int CONTEXT = 512;
    private static final int MAX_TOKENS = 6;
    private static final long POOL_BYTES = 64L << 20;

    @TempDir
    static Path folder;

    @ParameterizedTest(name = "{0} activations, {1} cache")
    @CsvSource({"F32,F32", "F32,BF16", "F32,Q8", "BF16,BF16", "Q8,BF16", "Q8,Q8"})
    void localRemoteCachedAndBatchedAnswersAreTheRecomputedOnes(ActivationMode activations, KvType kv)
            throws Exception {
        Path model = tiny();
        List<Question> questions = Question.drawn(3, TinyModel.VOCABULARY, MAX_TOKENS);
        List<List<Answer.Token>> expected = recomputed(model, activations, kv, questions);
        EngineOptions engine = new EngineOptions(32, kv, 64, OptionalLong.of(POOL_BYTES), 16, 64);
        try (Cluster cluster = Cluster.start(model, host(activations, KernelChoice.AUTO, 2), engine)) {
            check(cluster, questions, expected, PrefillMode.REMOTE, "remote prefill");
            check(cluster, questions, expected, PrefillMode.LOCAL, "local prefill over what is cached by now");
            check(cluster, questions, expected, PrefillMode.REMOTE, "remote prefill of what is cached by now");
            together(cluster, questions, expected);
            cluster.checkInvariants();
        }
        try (Cluster cluster = Cluster.start(model, host(activations, KernelChoice.AUTO, 2), engine)) {
            check(cluster, questions, expected, PrefillMode.LOCAL, "local prefill into an empty cache");
        }
    }

    @ParameterizedTest(name = "blocks of {0}, chunks of {1}, {2} kernels, {3} threads")
    @CsvSource({"16,1,AUTO,2", "64,7,AUTO,1", "32,32,VECTOR,2", "16,512,VECTOR,1", "64,512,SCALAR,2", "128,33,SCALAR,1"
    })
    void blocksChunksKernelsAndThreadsDoNotShow(int blockTokens, int chunkTokens, KernelChoice kernels, int threads)
            throws Exception {
        Path model = tiny();
        List<Question> questions = Question.drawn(5, TinyModel.VOCABULARY, MAX_TOKENS);
        List<List<Answer.Token>> expected = recomputed(model, ActivationMode.Q8, KvType.BF16, questions);
        EngineOptions engine =
                new EngineOptions(blockTokens, KvType.BF16, chunkTokens, OptionalLong.of(POOL_BYTES), 16, 64);
        try (Cluster cluster = Cluster.start(model, host(ActivationMode.Q8, kernels, threads), engine)) {
            check(cluster, questions, expected, PrefillMode.REMOTE, "remote prefill");
            check(cluster, questions, expected, PrefillMode.LOCAL, "local prefill");
            together(cluster, questions, expected);
            cluster.checkInvariants();
        }
    }

    @Test
    void aTrainedModelAnswersTheSameEitherWay() throws Exception {
        Path model = SharedFiles.stories260K("stories260K-q8_0.gguf");
        List<Question> questions = Question.drawn(9, 512, MAX_TOKENS);
        List<List<Answer.Token>> expected = recomputed(model, ActivationMode.Q8, KvType.BF16, questions);
        EngineOptions engine = new EngineOptions(32, KvType.BF16, 40, OptionalLong.of(POOL_BYTES), 16, 64);
        try (Cluster cluster = Cluster.start(model, host(ActivationMode.Q8, KernelChoice.AUTO, 2), engine, 2, 2)) {
            check(cluster, questions, expected, PrefillMode.REMOTE, "remote prefill, two nodes of each tier");
            check(cluster, questions, expected, PrefillMode.AUTO, "wherever the cost model says");
            together(cluster, questions, expected);
            cluster.checkInvariants();
        }
    }

    private static Path tiny() throws Exception {
        return TinyModel.ofContext(CONTEXT).writeTo(folder.resolve("tiny.gguf"));
    }

    private static HostOptions host(ActivationMode activations, KernelChoice kernels, int threads) {
        return new HostOptions(Optional.of(activations), kernels, threads, OptionalLong.empty());
    }

    private static List<List<Answer.Token>> recomputed(
            Path model, ActivationMode activations, KvType kv, List<Question> questions) {
        try (EngineHost host = EngineHost.open(model, host(activations, KernelChoice.AUTO, 2), LoadProgress.NONE)) {
            return questions.stream()
                    .map(question -> FullRecompute.generate(host, kv, question))
                    .toList();
        }
    }

    private static void check(
            Cluster cluster,
            List<Question> questions,
            List<List<Answer.Token>> expected,
            PrefillMode mode,
            String how) {
        for (int i = 0; i < questions.size(); i++) {
            Question question = questions.get(i);
            try (Generation generation = cluster.client().generate(question.spec(mode))) {
                assertThat(Answer.of(generation).tokens())
                        .as("%s of %d tokens", how, question.prompt().size())
                        .isEqualTo(expected.get(i));
            }
        }
    }

    /** All at once: the answers run in one batch. */
    private static void together(Cluster cluster, List<Question> questions, List<List<Answer.Token>> expected) {
        List<Generation> running = new ArrayList<>();
        for (Question question : questions) {
            running.add(cluster.client().generate(question.spec(PrefillMode.AUTO)));
        }
        for (int i = 0; i < running.size(); i++) {
            try (Generation generation = running.get(i)) {
                assertThat(Answer.of(generation).tokens())
                        .as(
                                "a prompt of %d tokens among others",
                                questions.get(i).prompt().size())
                        .isEqualTo(expected.get(i));
            }
        }
    }
}
