// SPDX-License-Identifier: MIT
#include "engine/core/words.h"

#include <utility>

using namespace Qt::StringLiterals;

namespace isol8 {

Result<QStringList> splitWords(const QString& text)
{
    QStringList words;
    QString word;
    bool isWord = false; // An empty pair of quotes is one.
    QChar quote;
    for (qsizetype at = 0; at < text.size(); ++at) {
        const QChar character = text[at];
        if (character == u'\\' && quote != u'\'' && at + 1 < text.size()) {
            word += text[++at];
            isWord = true;
        } else if (!quote.isNull()) {
            if (character == quote)
                quote = {};
            else
                word += character;
        } else if (character == u'\'' || character == u'"') {
            quote = character;
            isWord = true;
        } else if (character.isSpace()) {
            if (isWord)
                words << std::exchange(word, {});
            isWord = false;
        } else {
            word += character;
            isWord = true;
        }
    }
    if (!quote.isNull())
        return failure(Kind::Invalid, u"a quote is not closed"_s);
    if (isWord)
        words << word;
    return words;
}

} // namespace isol8
