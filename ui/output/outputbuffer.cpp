// SPDX-License-Identifier: MIT
#include "ui/output/outputbuffer.h"

#include "engine/core/escape.h"

#include <algorithm>

namespace isol8::ui {

namespace {

constexpr qsizetype blockBytes = 64 * 1024;

bool isControl(char byte)
{
    return static_cast<unsigned char>(byte) < 0x20 && byte != '\t';
}

/// Where the text before the next control character ends.
const char* plainEnd(const char* from, const char* end)
{
    return std::find_if(from, end, isControl);
}

bool isHarmless(QChar character)
{
    const auto code = character.unicode();
    if (code < 0x20)
        return code == '\t';
    return code < 0x7f || (code > 0x9f && code < 0x600) || (code > 0x61c && code < 0x200b)
        || (code > 0x206f && code < 0xd800);
}

/// Text of a program, fit for a text layout: what would steer it is written out.
QString shown(QByteArrayView bytes)
{
    const auto text = QString::fromUtf8(bytes);
    if (std::ranges::all_of(text, isHarmless))
        return text;
    QString result;
    const auto pieces = text.split(u'\t');
    for (qsizetype i = 0; i < pieces.size(); ++i)
        result += (i > 0 ? QStringLiteral("\t") : QString()) + printable(pieces[i]);
    return result;
}

OutputLine decoded(QByteArrayView bytes, const StyleSpan* spans, size_t count)
{
    OutputLine line;
    if (count == 0) {
        line.text = shown(bytes);
        return line;
    }
    qsizetype at = 0;
    for (size_t i = 0; i <= count; ++i) {
        const auto until
            = i < count ? std::min<qsizetype>(spans[i].begin, bytes.size()) : bytes.size();
        line.text += shown(bytes.sliced(at, until - at));
        at = until;
        if (i < count)
            line.spans.append({ line.text.size(), spans[i].style });
    }
    return line;
}

/// The longest beginning of at most @p room bytes that cuts no character.
qsizetype cutLength(QByteArrayView bytes, qsizetype room)
{
    if (bytes.size() <= room)
        return bytes.size();
    auto length = room;
    for (int i = 0; i < 3 && length > 1 && (bytes[length] & 0xc0) == 0x80; ++i)
        --length;
    return length;
}

} // namespace

qint64 OutputBuffer::Block::bytes() const
{
    return text.capacity() + qint64(records.capacity() * sizeof(Record))
        + qint64(spans.capacity() * sizeof(StyleSpan));
}

OutputBuffer::OutputBuffer(Limits limits)
    : m_limits(limits)
{
}

void OutputBuffer::setLimits(Limits limits)
{
    m_limits = limits;
    dropOld();
}

void OutputBuffer::append(Channel channel, QByteArrayView bytes)
{
    auto& stream = channel == Channel::Stdout ? m_stdout : m_stderr;
    const char* at = bytes.begin();
    const char* const end = bytes.end();
    while (at < end) {
        if (stream.escapes.isInside()) {
            if (*at != '\n') {
                apply(stream.escapes.take(*at++), stream.line);
                continue;
            }
            stream.escapes.abandon(); // Else one that never ends would hide all that follows.
        }
        const char* const plain = plainEnd(at, end);
        const bool isWholeLine = plain < end && *plain == '\n' && !stream.isOpen
            && plain - at <= LineAssembler::maxBytes && stream.escapes.style() == TextStyle();
        if (isWholeLine) {
            appendWholeLine(QByteArrayView(at, plain), stream.source);
            at = plain + 1;
            continue;
        }
        if (plain > at)
            appendText(QByteArrayView(at, plain), stream);
        at = plain;
        if (at + 1 < end && at[0] == '\r' && at[1] == '\n')
            ++at;
        if (at < end)
            takeControl(stream, *at++);
    }
    dropOld();
}

void OutputBuffer::appendText(QByteArrayView bytes, Stream& stream)
{
    while (!bytes.isEmpty()) {
        open(stream);
        const auto length = cutLength(bytes, stream.line.room());
        if (length <= 0) {
            endLine(stream, /*isContinued=*/true);
            continue;
        }
        stream.line.append(bytes.first(length), stream.escapes.style());
        bytes = bytes.sliced(length);
        if (!bytes.isEmpty())
            endLine(stream, /*isContinued=*/true);
    }
}

OutputBuffer::Stream& OutputBuffer::other(const Stream& stream)
{
    return &stream == &m_stdout ? m_stderr : m_stdout;
}

void OutputBuffer::open(Stream& stream)
{
    if (stream.isOpen)
        return;
    stream.isOpen = true;
    m_first = other(stream).isOpen ? &other(stream) : &stream;
}

void OutputBuffer::takeControl(Stream& stream, char byte)
{
    switch (byte) {
    case '\n':
        endLine(stream, /*isContinued=*/false);
        return;
    case '\r':
        stream.line.returnToStart();
        return;
    case '\b':
        if (stream.isOpen)
            stream.line.moveBy(-1);
        return;
    case 0x1b:
        stream.escapes.begin();
        return;
    case 0x07: // a bell that nobody hears
        return;
    default:
        appendText(QByteArrayView(&byte, 1), stream);
    }
}

void OutputBuffer::apply(const EscapeEffect& effect, LineAssembler& line)
{
    using Kind = EscapeEffect::Kind;
    if (effect.kind == Kind::EraseToEnd)
        line.eraseToEnd();
    else if (effect.kind == Kind::EraseToStart)
        line.eraseToStart();
    else if (effect.kind == Kind::EraseLine)
        line.eraseAll();
    else if (effect.kind == Kind::MoveTo)
        line.moveTo(effect.count);
    else if (effect.kind == Kind::MoveBy)
        line.moveBy(effect.count);
}

OutputBuffer::Block& OutputBuffer::blockFor(qsizetype bytes)
{
    if (!m_blocks.empty()) {
        auto& last = m_blocks.back();
        const auto used = last.text.size() + qsizetype(last.records.size() * sizeof(Record))
            + qsizetype(last.spans.size() * sizeof(StyleSpan));
        if (used < blockBytes && last.text.size() + bytes <= last.text.capacity())
            return last;
        last.text.squeeze();
        last.records.shrink_to_fit();
        last.spans.shrink_to_fit();
        m_heldBytes += last.bytes();
    }
    auto& block = m_blocks.emplace_back();
    block.firstLine = m_committedEnd;
    block.text.reserve(std::max(blockBytes, bytes));
    return block;
}

void OutputBuffer::appendWholeLine(QByteArrayView bytes, OutputLine::Source source)
{
    auto& block = blockFor(bytes.size());
    addRecord(block, { quint32(block.text.size()), quint32(bytes.size()), 0, 0, source, false });
    block.text.append(bytes);
    ++m_committedEnd;
}

/// A line that goes on does so in the next one; another stream's line between them ends it.
void OutputBuffer::addRecord(Block& block, const Record& record)
{
    auto* before = block.records.empty() ? nullptr : &block.records.back();
    if (!before && m_blocks.size() > 1)
        before = &m_blocks[m_blocks.size() - 2].records.back();
    if (before && before->source != record.source)
        before->isContinued = false;
    block.records.push_back(record);
}

void OutputBuffer::endLine(Stream& stream, bool isContinued)
{
    stream.line.settle();
    const auto& bytes = stream.line.bytes();
    const auto& spans = stream.line.spans();
    auto& block = blockFor(bytes.size());
    addRecord(block,
        { quint32(block.text.size()), quint32(bytes.size()), quint32(block.spans.size()),
            quint16(spans.size()), stream.source, isContinued });
    block.text.append(bytes);
    block.spans.insert(block.spans.end(), spans.begin(), spans.end());
    ++m_committedEnd;
    stream.line.clear();
    stream.isOpen = false;
    m_first = &other(stream);
}

void OutputBuffer::appendNote(const QString& text)
{
    while (endLine() > m_committedEnd)
        endLine(*m_first, /*isContinued=*/false);
    const auto bytes = text.toUtf8();
    appendWholeLine(QByteArrayView(bytes).first(cutLength(bytes, LineAssembler::maxBytes)),
        OutputLine::Source::Note);
    dropOld();
}

void OutputBuffer::dropOld()
{
    while (m_blocks.size() > 1
        && (m_committedEnd - m_blocks[1].firstLine >= m_limits.lines
            || m_heldBytes > m_limits.bytes)) {
        m_heldBytes -= m_blocks.front().bytes();
        m_blocks.pop_front();
        m_firstLine = m_blocks.front().firstLine;
    }
}

void OutputBuffer::clear()
{
    m_blocks.clear();
    m_heldBytes = 0;
    m_firstLine = m_committedEnd;
    for (auto* stream : { &m_stdout, &m_stderr }) {
        stream->line.clear();
        stream->isOpen = false;
        stream->escapes.reset();
    }
}

qint64 OutputBuffer::endLine() const
{
    return m_committedEnd + (m_stdout.isOpen ? 1 : 0) + (m_stderr.isOpen ? 1 : 0);
}

OutputLine OutputBuffer::line(qint64 number) const
{
    if (number < m_firstLine || number >= endLine())
        return {};
    if (number >= m_committedEnd) {
        const bool isFirst = number == m_committedEnd;
        const auto& stream = (m_first == &m_stdout) == isFirst ? m_stdout : m_stderr;
        stream.line.settle();
        auto line
            = decoded(stream.line.bytes(), stream.line.spans().data(), stream.line.spans().size());
        line.source = stream.source;
        return line;
    }
    const auto after = std::ranges::upper_bound(m_blocks, number, {}, &Block::firstLine);
    const auto& block = *std::prev(after);
    const auto& record = block.records[size_t(number - block.firstLine)];
    auto line = decoded(QByteArrayView(block.text).sliced(record.begin, record.length),
        block.spans.data() + record.spanBegin, record.spanCount);
    line.source = record.source;
    line.isContinued = record.isContinued;
    return line;
}

} // namespace isol8::ui
