package io.baton.e2e;

import io.baton.client.GeneratedToken;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import java.util.ArrayList;
import java.util.List;

/** What came back for a {@link Question}: the tokens, each with its log probability, and the rest. */
record Answer(List<Token> tokens, GenerationResult result) {

    /** Equal only if the log probability is equal bit by bit. */
    record Token(int id, float logprob) {}

    /** Reads a generation to its end. */
    static Answer of(Generation generation) {
        List<Token> tokens = new ArrayList<>();
        for (GeneratedToken token : generation) {
            tokens.add(new Token(token.tokenId(), (float) token.logprob().orElseThrow()));
        }
        return new Answer(tokens, generation.result());
    }
}
