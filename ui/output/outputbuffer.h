// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "ui/output/escapeparser.h"
#include "ui/output/lineassembler.h"

#include <QList>
#include <QString>

#include <deque>

namespace isol8::ui {

/// One line as it is shown: nothing in its text can act on the widget that draws it.
struct OutputLine {
    enum class Source { Stdout, Stderr, Note };
    struct Span {
        qsizetype begin = 0; ///< Of text.
        TextStyle style;
    };
    QString text;
    QList<Span> spans;
    Source source = Source::Stdout;
    bool isContinued = false; ///< The next line goes on with this one.
};

/// The scroll-back: the last lines of a run's output. Old ones make room for new ones, in whole
/// blocks. Each stream goes on with its own unfinished line, which stays last until it is finished;
/// finished lines have numbers that stay theirs. Fast for plain text: it is only split and copied.
class OutputBuffer {
public:
    struct Limits {
        qsizetype lines = 100'000;
        qint64 bytes = 48LL << 20;
    };

    explicit OutputBuffer(Limits limits);
    OutputBuffer()
        : OutputBuffer(Limits())
    {
    }
    Q_DISABLE_COPY_MOVE(OutputBuffer)

    void append(Channel channel, QByteArrayView bytes);
    /// A line of isol8's own, after what has come so far.
    void appendNote(const QString& text);
    void clear();
    void setLimits(Limits limits);

    /// Numbers of the oldest line that is left, and of the one after the last.
    [[nodiscard]] qint64 firstLine() const { return m_firstLine; }
    [[nodiscard]] qint64 endLine() const;
    /// Lines from this number on are unfinished: they change, and finished ones come before them.
    [[nodiscard]] qint64 unfinishedLine() const { return m_committedEnd; }
    /// Empty for a number that is not there.
    [[nodiscard]] OutputLine line(qint64 number) const;
    /// Memory that is held, roughly.
    [[nodiscard]] qint64 heldBytes() const { return m_heldBytes; }

private:
    struct Record {
        quint32 begin = 0;
        quint32 length = 0;
        quint32 spanBegin = 0;
        quint16 spanCount = 0;
        OutputLine::Source source = OutputLine::Source::Stdout;
        bool isContinued = false;
    };
    struct Block {
        qint64 firstLine = 0;
        QByteArray text;
        std::vector<Record> records;
        std::vector<StyleSpan> spans;

        [[nodiscard]] qint64 bytes() const;
    };
    struct Stream {
        EscapeParser escapes;
        OutputLine::Source source;
        mutable LineAssembler line;
        bool isOpen = false; ///< `line` is one, though perhaps an empty one.
    };

    void takeControl(Stream& stream, char byte);
    static void apply(const EscapeEffect& effect, LineAssembler& line);
    void appendText(QByteArrayView bytes, Stream& stream);
    void appendWholeLine(QByteArrayView bytes, OutputLine::Source source);
    void endLine(Stream& stream, bool isContinued);
    void open(Stream& stream);
    [[nodiscard]] Stream& other(const Stream& stream);
    void addRecord(Block& block, const Record& record);
    Block& blockFor(qsizetype bytes);
    void dropOld();

    Limits m_limits;
    std::deque<Block> m_blocks;
    qint64 m_firstLine = 0;
    qint64 m_committedEnd = 0;
    qint64 m_heldBytes = 0;
    Stream m_stdout { {}, OutputLine::Source::Stdout, {} };
    Stream m_stderr { {}, OutputLine::Source::Stderr, {} };
    Stream* m_first = &m_stdout; ///< The unfinished line that was begun first.
};

} // namespace isol8::ui
