package io.baton.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** How many nodes a cluster in one process may have. */
final class NodeCounts {

    private static final int MOST = 64;

    private NodeCounts() {}

    static void check(CommandSpec command, int prefill, int decode) {
        if (prefill < 0 || prefill > MOST) {
            throw new ParameterException(
                    command.commandLine(), "--prefill: expected 0 to %d, found %d".formatted(MOST, prefill));
        }
        if (decode < 1 || decode > MOST) {
            throw new ParameterException(
                    command.commandLine(), "--decode: expected 1 to %d, found %d".formatted(MOST, decode));
        }
    }
}
