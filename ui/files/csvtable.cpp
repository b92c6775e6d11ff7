// SPDX-License-Identifier: MIT
#include "ui/files/csvtable.h"

#include "engine/core/escape.h"

#include <algorithm>

namespace isol8::ui {

namespace {

constexpr qsizetype maxRows = 200'000;
constexpr qsizetype maxColumns = 1000;
constexpr qsizetype maxShownCharacters = 1000;

/// The separator that is most frequent in the first line, outside of quotes.
QChar separatorOf(const QString& text)
{
    qsizetype counts[3] = {};
    constexpr char16_t candidates[3] { u',', u';', u'\t' };
    bool isQuoted = false;
    for (const auto character : text) {
        if (character == u'"')
            isQuoted = !isQuoted;
        else if (character == u'\n' && !isQuoted)
            break;
        for (int i = 0; i < 3 && !isQuoted; ++i)
            counts[i] += character == candidates[i];
    }
    return candidates[std::max_element(counts, counts + 3) - counts];
}

} // namespace

CsvText CsvText::parse(const QString& text)
{
    CsvText result;
    const auto separator = separatorOf(text);
    QStringList row;
    QString field;
    bool isQuoted = false;
    const auto endField = [&] {
        if (row.size() < maxColumns)
            row << field;
        else
            result.isCut = true;
        field.clear();
    };
    const auto endRow = [&] {
        endField();
        result.columns = std::max(result.columns, row.size());
        result.rows << row;
        row.clear();
    };
    for (qsizetype i = 0; i < text.size(); ++i) {
        const auto character = text[i];
        if (isQuoted) {
            if (character != u'"')
                field += character;
            else if (i + 1 < text.size() && text[i + 1] == u'"')
                field += text[++i];
            else
                isQuoted = false;
        } else if (character == u'"' && field.isEmpty()) {
            isQuoted = true;
        } else if (character == separator) {
            endField();
        } else if (character == u'\n') {
            endRow();
            if (result.rows.size() >= maxRows) {
                result.isCut = i + 1 < text.size();
                return result;
            }
        } else if (character != u'\r') {
            field += character;
        }
    }
    if (!field.isEmpty() || !row.isEmpty())
        endRow();
    return result;
}

CsvTableModel::CsvTableModel(CsvText text, QObject* parent)
    : QAbstractTableModel(parent)
    , m_text(std::move(text))
{
}

int CsvTableModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(std::max<qsizetype>(0, m_text.rows.size() - 1));
}

int CsvTableModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_text.columns);
}

QVariant CsvTableModel::data(const QModelIndex& index, int role) const
{
    if (role != Qt::DisplayRole || !index.isValid())
        return {};
    return printable(m_text.rows[index.row() + 1].value(index.column()).left(maxShownCharacters));
}

QVariant CsvTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role != Qt::DisplayRole)
        return {};
    if (orientation == Qt::Vertical)
        return section + 1;
    return m_text.rows.isEmpty()
        ? QString()
        : printable(m_text.rows.constFirst().value(section).left(maxShownCharacters));
}

} // namespace isol8::ui
