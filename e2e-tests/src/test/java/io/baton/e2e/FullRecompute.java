package io.baton.e2e;

import io.baton.engine.EngineHost;
import io.baton.engine.GeneratedToken;
import io.baton.engine.KvType;
import io.baton.engine.forward.Batch;
import io.baton.engine.forward.ForwardPass;
import io.baton.engine.forward.LayerListener;
import io.baton.engine.memory.KvPool;
import io.baton.engine.sample.Candidates;
import io.baton.engine.sample.Sampler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Generation without any cache: every step feeds the whole sequence again, into a pool that forgets it afterwards. */
final class FullRecompute {

    private static final int BLOCK_TOKENS = 16;

    private FullRecompute() {}

    static List<Answer.Token> generate(EngineHost host, KvType kv, Question question) {
        return generate(host, kv, question, 0);
    }

    /** @param choice number of the answer */
    static List<Answer.Token> generate(EngineHost host, KvType kv, Question question, int choice) {
        int[] prompt = question.promptIds();
        int length = prompt.length + question.maxTokens();
        int blocks = Math.ceilDiv(length, BLOCK_TOKENS);
        int[] table = IntStream.range(0, blocks).toArray();
        int[] sequence = Arrays.copyOf(prompt, length);
        Sampler sampler = new Sampler(question.engineSampling(), question.seed(), choice, prompt, new int[0], 0);
        Candidates scratch = new Candidates(host.shape().vocabularySize());
        float[][] hidden = new float[1][host.shape().dim()];
        float[][] logits = new float[1][host.shape().vocabularySize()];
        List<Answer.Token> answer = new ArrayList<>();
        try (KvPool pool = KvPool.allocate(
                        host.kvLayout(kv, BLOCK_TOKENS), host.shape().layers(), blocks);
                ForwardPass pass = host.forwardPass(pool, length)) {
            Batch batch = new Batch(length);
            for (int i = 0; i < question.maxTokens(); i++) {
                for (int block : table) {
                    pool.zero(block);
                }
                batch.clear();
                int entry = batch.add(sequence, 0, prompt.length + i, 0, table, true);
                pass.run(batch, LayerListener.NONE);
                pass.hidden(entry, hidden[0]);
                pass.logits(hidden, 1, logits);
                GeneratedToken token = sampler.next(logits[0], scratch);
                answer.add(new Answer.Token(
                        token.tokenId(), (float) token.logprob().orElseThrow()));
                sequence[prompt.length + i] = token.tokenId();
            }
        }
        return answer;
    }
}
