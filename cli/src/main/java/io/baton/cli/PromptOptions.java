package io.baton.cli;

import io.baton.client.Prompt;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** The prompt: as an argument, a flag, a file, standard input, or token ids. */
final class PromptOptions {

    @Parameters(arity = "0..1", paramLabel = "PROMPT", description = "The prompt; - reads standard input")
    private @Nullable String argument;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt")
    private @Nullable String prompt;

    @Option(names = "--prompt-file", paramLabel = "FILE", description = "Read the prompt from a file (UTF-8)")
    private @Nullable Path file;

    @Option(names = "--token-ids", paramLabel = "N,N,…", split = ",", description = "The prompt as token ids")
    private @Nullable List<Integer> tokenIds;

    @Option(names = "--chat", description = "The prompt is a user's message; the model's chat template is applied")
    private boolean chat;

    /** What was given; standard input when nothing was and nobody sits there typing. */
    Prompt read(CommandLine command, Surroundings surroundings) {
        long given = Stream.of(argument, prompt, file, tokenIds)
                .filter(each -> each != null)
                .count();
        if (given > 1) {
            throw new ParameterException(
                    command, "give the prompt once: as PROMPT, --prompt, --prompt-file or --token-ids");
        }
        if (tokenIds != null) {
            if (chat) {
                throw new ParameterException(command, "--chat needs text, not --token-ids");
            }
            return new Prompt.Tokens(tokenIds);
        }
        String text = text(command, surroundings);
        return chat ? new Prompt.Chat(List.of(new Prompt.Message("user", text))) : new Prompt.Text(text);
    }

    /** The text given as argument or flag, if one was. */
    Optional<String> inline() {
        return Optional.ofNullable(argument).or(() -> Optional.ofNullable(prompt));
    }

    private String text(CommandLine command, Surroundings surroundings) {
        Optional<String> inline = inline();
        if (inline.isPresent() && !inline.get().equals("-")) {
            return inline.get();
        }
        if (file != null) {
            return read(file);
        }
        if (inline.isEmpty() && surroundings.terminal()) {
            throw new ParameterException(
                    command,
                    "missing the prompt: give it as PROMPT, --prompt, --prompt-file, --token-ids or on standard input");
        }
        try {
            return new String(surroundings.input().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CommandException("standard input cannot be read: " + e.getMessage(), e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new CommandException("prompt file " + file + " is not UTF-8", e);
        } catch (IOException e) {
            throw new CommandException("prompt file " + file + " cannot be read: " + e, e);
        }
    }
}
