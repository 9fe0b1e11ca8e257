package io.baton.engine.schedule;

import io.baton.engine.EngineHost;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationRequest;
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

/** The plainest loop there is: for every token, the whole sequence anew, without a cache. */
final class FullRecompute {

    private static final int BLOCK_TOKENS = 16;

    private FullRecompute() {}

    static List<GeneratedToken> answer(EngineHost host, KvType kv, GenerationRequest request) {
        int[] prompt = request.promptTokens();
        int length = prompt.length + request.maxTokens();
        int[] table = IntStream.range(0, Math.ceilDiv(length, BLOCK_TOKENS)).toArray();
        Sampler sampler = new Sampler(
                request.sampling(),
                request.seed(),
                request.answers().getFirst().choice(),
                prompt,
                new int[0],
                request.logprobs());
        Candidates scratch = new Candidates(host.shape().vocabularySize());
        List<GeneratedToken> tokens = new ArrayList<>();
        try (KvPool pool = KvPool.allocate(
                        host.kvLayout(kv, BLOCK_TOKENS), host.shape().layers(), table.length);
                ForwardPass pass = host.forwardPass(pool, length)) {
            Batch batch = new Batch(length);
            float[][] hidden = new float[1][host.shape().dim()];
            float[][] logits = new float[1][host.shape().vocabularySize()];
            int[] sequence = Arrays.copyOf(prompt, length);
            while (tokens.size() < request.maxTokens()) {
                batch.clear();
                batch.add(sequence, 0, prompt.length + tokens.size(), 0, table, true);
                pass.run(batch, LayerListener.NONE);
                pass.hidden(0, hidden[0]);
                pass.logits(hidden, 1, logits);
                GeneratedToken token = sampler.next(logits[0], scratch);
                sequence[prompt.length + tokens.size()] = token.tokenId();
                tokens.add(token);
                if (request.stopTokens().contains(token.tokenId())) {
                    break;
                }
            }
        }
        return tokens;
    }
}
