/* SPDX-License-Identifier: Apache-2.0
 * words.h - the fixed words of the page in another language. Only src/report includes this
 * file.
 *
 * A template is written in English, and its own text is the key: a file of the form that
 * gettext calls PO (msgid, msgstr) says what stands in its place. So templates stay
 * readable, and a lab's own templates can be translated without a change to them. What a
 * file does not have stays English. Translations are text: they cannot bring markup. */
#ifndef FOREBEAR_WORDS_H
#define FOREBEAR_WORDS_H

#include "util/arena.h"
#include "util/error.h"
#include "util/map.h"

struct word {
    struct text english, translation; /* translation: absent if there is none */
    struct text file; /* the template where it stands first; absent: in none */
    int line;
    size_t translation_line; /* of msgid in the PO file */
};

struct words {
    struct arena *arena;
    struct text file; /* the PO file, as messages call it; absent: none */
    struct word *items;
    size_t count, capacity;
    struct map by_english;
};

/* Read a PO file's content. FAILED with file and line for what is not of that form, an
 * entry that comes twice, or a translation whose {slots} are not the original's. */
enum status words_read(struct words *w, struct text file, struct text content,
                       struct error *err);
void words_release(struct words *w);
/* Add what stands for `text`, a piece of a template, to out: the blanks around it stay, and
 * those inside count as one. What has no letter is no word. */
void words_add(struct words *w, struct buffer *out, struct text text, const char *file,
               int line);
/* Every word that words_add() met, in that order, as a PO file with the translations that
 * there are; returns how many have none. */
size_t words_list(const struct words *w, struct text language, struct buffer *out);
/* "de", "pt-BR": also the name of its file, so nothing else. */
bool words_is_language(struct text name);

#endif
