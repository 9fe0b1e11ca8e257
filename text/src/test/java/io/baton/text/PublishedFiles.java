package io.baton.text;

import io.baton.model.files.ModelFile;
import io.baton.model.files.VocabularyFile;
import io.baton.testing.SharedFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Published models, vocabularies and vectors; a test that asks for one is skipped where they are absent. */
final class PublishedFiles {

    private PublishedFiles() {}

    static Path path(String name) {
        return SharedFiles.present("data/" + name);
    }

    static String text(String name) {
        try {
            return Files.readString(path(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode json(String name) {
        return new JsonMapper().readTree(text(name));
    }

    static VocabularyFile vocabulary(String name) {
        try (ModelFile model = ModelFile.open(path(name))) {
            return model.vocabulary();
        }
    }

    static Tokenizer tokenizer(String name) {
        return Tokenizer.of(vocabulary(name));
    }
}
