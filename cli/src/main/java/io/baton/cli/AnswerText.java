package io.baton.cli;

import io.baton.client.GeneratedToken;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import java.io.PrintWriter;

/** Writes an answer as it comes, and a line end after it. */
final class AnswerText {

    private AnswerText() {}

    static GenerationResult stream(Generation generation, PrintWriter out) {
        for (GeneratedToken token : generation) {
            out.print(token.text());
            out.flush();
        }
        GenerationResult result = generation.result();
        out.println(result.only().heldBack());
        out.flush();
        return result;
    }
}
