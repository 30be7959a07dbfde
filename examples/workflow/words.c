/* Counts words in three steps, each a sub-task of its own:
 *
 *   words split FILE PARTS   deals the lines of FILE out to part-1.txt, part-2.txt, ...
 *   words count              reads standard input, writes counts.txt: a word and its number a line, by the alphabet
 *   words merge FOLDER       adds up all files of FOLDER, writes totals.txt: the most frequent words first
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 20000
#define MAX_LENGTH 40

struct word {
    char text[MAX_LENGTH];
    unsigned long count;
};

static struct word words[MAX_WORDS];
static size_t known;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void add(const char *text, unsigned long count) {
    size_t low = 0, high = known;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(words[middle].text, text) < 0) low = middle + 1;
        else high = middle;
    }
    if (low == known || strcmp(words[low].text, text) != 0) {
        if (known == MAX_WORDS) {
            fputs("too many words\n", stderr);
            exit(1);
        }
        memmove(&words[low + 1], &words[low], (known - low) * sizeof words[0]);
        strcpy(words[low].text, text);
        words[low].count = 0;
        known++;
    }
    words[low].count += count;
}

static void write_all(const char *path) {
    FILE *out = fopen(path, "w");
    if (!out) fail(path);
    for (size_t i = 0; i < known; i++) fprintf(out, "%s %lu\n", words[i].text, words[i].count);
    if (fclose(out)) fail(path);
}

static int split(const char *path, int parts) {
    static char line[4096];
    FILE *in = fopen(path, "r");
    FILE *out[64];
    if (!in) fail(path);
    if (parts < 1 || parts > 64) return 2;
    for (int i = 0; i < parts; i++) {
        char name[32];
        snprintf(name, sizeof name, "part-%d.txt", i + 1);
        if (!(out[i] = fopen(name, "w"))) fail(name);
    }
    for (int i = 0; fgets(line, sizeof line, in); i = (i + 1) % parts) fputs(line, out[i]);
    for (int i = 0; i < parts; i++)
        if (fclose(out[i])) fail("part");
    return 0;
}

static int count(void) {
    char word[MAX_LENGTH];
    size_t length = 0;
    for (;;) {
        int c = getchar();
        if (c != EOF && isalpha(c)) {
            if (length < MAX_LENGTH - 1) word[length++] = (char)tolower(c);
            continue;
        }
        word[length] = 0;
        if (length) add(word, 1);
        length = 0;
        if (c == EOF) break;
    }
    write_all("counts.txt");
    return 0;
}

static int most_frequent_first(const void *a, const void *b) {
    const struct word *left = a, *right = b;
    if (left->count != right->count) return left->count < right->count ? 1 : -1;
    return strcmp(left->text, right->text);
}

static int merge(const char *folder) {
    DIR *all = opendir(folder);
    if (!all) fail(folder);
    for (struct dirent *entry; (entry = readdir(all));) {
        char path[512], word[MAX_LENGTH];
        unsigned long number;
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *in = fopen(path, "r");
        if (!in) fail(path);
        while (fscanf(in, "%39s %lu", word, &number) == 2) add(word, number);
        fclose(in);
    }
    qsort(words, known, sizeof words[0], most_frequent_first);
    write_all("totals.txt");
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "split")) return split(argv[2], atoi(argv[3]));
    if (argc == 2 && !strcmp(argv[1], "count")) return count();
    if (argc == 3 && !strcmp(argv[1], "merge")) return merge(argv[2]);
    fputs("usage: words split FILE PARTS | count | merge FOLDER\n", stderr);
    return 2;
}
