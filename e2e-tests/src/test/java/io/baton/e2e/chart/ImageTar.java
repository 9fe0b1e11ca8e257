package io.baton.e2e.chart;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A container image as a tarball that {@code docker load} takes.
 *
 * @param names repository and tag, of each name it has
 * @param config what runs and how: user, ports, entry point, labels
 * @param layers the files of each, by path; folders left out
 */
record ImageTar(List<String> names, JsonNode config, List<Map<String, byte[]>> layers) {

    private static final int BLOCK = 512;

    static ImageTar read(Path tar) throws IOException {
        Map<String, byte[]> files;
        try (InputStream in = Files.newInputStream(tar)) {
            files = files(in);
        }
        JsonMapper json = JsonMapper.shared();
        JsonNode manifest = json.readTree(entry(files, "manifest.json")).get(0);
        List<Map<String, byte[]>> layers = new ArrayList<>();
        for (JsonNode layer : manifest.at("/Layers")) {
            layers.add(files(new GZIPInputStream(new ByteArrayInputStream(entry(files, layer.asString())))));
        }
        return new ImageTar(
                manifest.at("/RepoTags").valueStream().map(JsonNode::asString).toList(),
                json.readTree(entry(files, manifest.at("/Config").asString())).at("/config"),
                layers);
    }

    /** All files of all layers. */
    Map<String, byte[]> files() {
        Map<String, byte[]> all = new LinkedHashMap<>();
        layers.forEach(all::putAll);
        return all;
    }

    private static byte[] entry(Map<String, byte[]> files, String name) throws IOException {
        byte[] content = files.get(name);
        if (content == null) {
            throw new IOException("no %s among %s".formatted(name, files.keySet()));
        }
        return content;
    }

    /** A tar's plain files; a name in a header of its own (pax) goes with the file after it. */
    private static Map<String, byte[]> files(InputStream in) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        String longName = "";
        for (byte[] header = in.readNBytes(BLOCK);
                header.length == BLOCK && header[0] != 0;
                header = in.readNBytes(BLOCK)) {
            int size = Integer.parseInt(text(header, 124, 12).trim(), 8);
            byte[] content = in.readNBytes(size);
            in.skipNBytes(Math.floorMod(-size, BLOCK));
            String prefix = text(header, 345, 155);
            String name = (prefix.isEmpty() ? "" : prefix + "/") + text(header, 0, 100);
            switch (header[156]) {
                case 'x' -> longName = paxPath(new String(content, StandardCharsets.UTF_8));
                case 'L' -> longName = text(content, 0, content.length);
                case '0', 0 -> {
                    files.put(longName.isEmpty() ? name : longName, content);
                    longName = "";
                }
                default -> longName = "";
            }
        }
        return files;
    }

    private static String paxPath(String records) {
        return records.lines()
                .map(line -> line.substring(line.indexOf(' ') + 1))
                .filter(record -> record.startsWith("path="))
                .map(record -> record.substring("path=".length()))
                .findFirst()
                .orElse("");
    }

    private static String text(byte[] bytes, int from, int length) {
        int end = from;
        while (end < from + length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, from, end - from, StandardCharsets.UTF_8);
    }
}
