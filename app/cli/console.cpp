// SPDX-License-Identifier: MIT
#include "app/cli/console.h"

#include "engine/core/escape.h"

#include <QLoggingCategory>

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace isol8::cli {

using namespace Qt::StringLiterals;

namespace {

constexpr int redrawMilliseconds = 100;
constexpr int barWidth = 24;

Console* logConsole = nullptr;

void logMessage(QtMsgType type, const QMessageLogContext& context, const QString& text)
{
    const bool isOurs = context.category && std::strncmp(context.category, "isol8.", 6) == 0;
    if (!logConsole)
        return;
    if (isOurs && type == QtInfoMsg)
        logConsole->debug(text);
    else if (isOurs && type != QtDebugMsg)
        logConsole->warn(text);
    else
        logConsole->debug(QString::fromUtf8(context.category) + u": "_s + text);
}

int terminalColumns()
{
    winsize size {};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 80;
}

} // namespace

bool writeAll(int descriptor, const QByteArray& bytes)
{
    auto rest = QByteArrayView(bytes);
    while (!rest.isEmpty()) {
        const auto count = ::write(descriptor, rest.data(), size_t(rest.size()));
        if (count >= 0) {
            rest = rest.sliced(count);
        } else if (errno == EAGAIN) {
            pollfd waiting { descriptor, POLLOUT, 0 };
            ::poll(&waiting, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

Console::Console()
    : m_isTerminal(::isatty(STDERR_FILENO) && qgetenv("TERM") != "dumb")
    , m_hasColour(m_isTerminal && qEnvironmentVariableIsEmpty("NO_COLOR"))
{
}

void Console::say(const char* tag, int colour, const QString& text)
{
    endProgress();
    QByteArray line;
    if (m_hasColour)
        line += "\x1b[" + QByteArray::number(colour) + 'm';
    line += '[' + QByteArray(tag) + ']';
    if (m_hasColour)
        line += "\x1b[0m";
    // Further lines are indented, so that none can look like a status line of ours.
    QStringList lines = m_secrets.masked(text).split(u'\n');
    for (auto& each : lines)
        each = printable(each);
    line += ' ' + lines.join(u"\n      "_s).toUtf8() + '\n';
    // Nobody can be told when standard error is gone.
    std::ignore = writeAll(STDERR_FILENO, line);
}

void Console::ok(const QString& text)
{
    say("OK", 32, text);
}

void Console::info(const QString& text)
{
    say("INFO", 36, text);
}

void Console::warn(const QString& text)
{
    say("WARN", 33, text);
}

void Console::error(const QString& text)
{
    say("ERR", 31, text);
}

void Console::error(const Error& failure)
{
    error(failure.message);
}

void Console::debug(const QString& text)
{
    if (m_isDebug)
        say("DEBUG", 90, text);
}

void Console::print(const QString& text)
{
    printBytes(text.toUtf8() + '\n');
}

void Console::printBytes(const QByteArray& bytes)
{
    endProgress();
    if (m_hasFailed || writeAll(STDOUT_FILENO, bytes))
        return;
    m_hasFailed = true;
    if (errno != EPIPE)
        error(u"Cannot write to standard output: "_s + QString::fromUtf8(std::strerror(errno)));
}

void Console::progress(const QString& text, std::optional<double> fraction)
{
    const auto shown = printable(m_secrets.masked(text));
    if (!m_isTerminal) {
        // Numbers that count up are for eyes only.
        if (!fraction && std::exchange(m_progress, shown) != shown)
            std::ignore = writeAll(STDERR_FILENO, "[..] " + shown.toUtf8() + '\n');
        return;
    }
    if (m_progress == shown && m_sinceProgress.isValid()
        && !m_sinceProgress.hasExpired(redrawMilliseconds))
        return;
    m_progress = shown;
    m_sinceProgress.start();

    QString line = u"[..] "_s;
    if (fraction) {
        const int filled = qBound(0, int(*fraction * barWidth), barWidth);
        line += u'[' + QString(filled, u'#') + QString(barWidth - filled, u'.')
            + u"] %1% "_s.arg(qBound(0, int(*fraction * 100), 100), 3);
    } else {
        line += QStringView(u"|/-\\")[m_spinner++ % 4];
        line += u' ';
    }
    line = (line + shown).left(terminalColumns() - 1);
    std::ignore = writeAll(STDERR_FILENO, "\r\x1b[K" + line.toUtf8());
    m_isProgressDrawn = true;
}

void Console::endProgress()
{
    if (std::exchange(m_isProgressDrawn, false))
        std::ignore = writeAll(STDERR_FILENO, "\r\x1b[K");
    m_sinceProgress.invalidate();
}

bool Console::canAsk() const
{
    return ::isatty(STDIN_FILENO) && ::isatty(STDERR_FILENO);
}

bool Console::confirm(const QString& question)
{
    const auto answer = ask(question + u" [y/N]"_s).value_or(QString()).toLower();
    return answer == "y"_L1 || answer == "yes"_L1;
}

std::optional<QString> Console::ask(const QString& question)
{
    if (!canAsk())
        return std::nullopt;
    endProgress();
    std::ignore = writeAll(STDERR_FILENO, printable(question).toUtf8() + ' ');
    QByteArray answer;
    char character = 0;
    bool isEnded = false;
    while (answer.size() < 100 && !isEnded) {
        if (::read(STDIN_FILENO, &character, 1) != 1)
            return std::nullopt;
        isEnded = character == '\n';
        answer += character;
    }
    return QString::fromLocal8Bit(answer.trimmed());
}

void Console::captureLog()
{
    logConsole = this;
    QLoggingCategory::setFilterRules(
        m_isDebug ? u"isol8.*=true"_s : u"*.debug=false\n*.info=false"_s);
    qInstallMessageHandler(logMessage);
}

} // namespace isol8::cli
