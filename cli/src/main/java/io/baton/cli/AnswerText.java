package io.baton.cli;

import io.baton.client.GeneratedToken;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import java.io.PrintWriter;

/** Writes an answer as it comes and a line end after it; several answers each whole, one after the other. */
final class AnswerText {

    private AnswerText() {}

    /** Each answer under its number: tokens of several come mixed, so nothing is written before the end. */
    static void printEach(GenerationResult result, PrintWriter out) {
        for (GenerationResult.Choice answer : result.choices()) {
            out.println("--- answer %d ---".formatted(answer.choice()));
            out.println(answer.text());
        }
        out.flush();
    }

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
