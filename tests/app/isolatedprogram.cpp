// SPDX-License-Identifier: MIT
#include "tests/app/isolatedprogram.h"

#include <QFile>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

constexpr int patience = 120'000;

Outcome finish(QProcess& process)
{
    if (!process.waitForStarted(patience))
        return {};
    process.closeWriteChannel();
    if (!process.waitForFinished(patience) || process.exitStatus() != QProcess::NormalExit)
        return {};
    return { process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError() };
}

} // namespace

void IsolatedProgram::prepare(QProcess& process, const QMap<QString, QString>& variables) const
{
    auto environment = QProcessEnvironment::systemEnvironment();
    for (const auto& name :
        { u"ISOL8_API_KEY"_s, u"DOCKER_CONTEXT"_s, u"DOCKER_CONFIG"_s, u"NO_COLOR"_s })
        environment.remove(name);
    environment.insert(u"HOME"_s, m_home.path());
    environment.insert(u"ISOL8"_s, QStringLiteral(ISOL8_PROGRAM));
    environment.insert(u"DOCKER_HOST"_s, u"unix:///nonexistent/docker.sock"_s);
    for (auto it = variables.cbegin(); it != variables.cend(); ++it)
        environment.insert(it.key(), it.value());
    process.setProcessEnvironment(environment);
    process.setWorkingDirectory(m_work.path());
}

Outcome IsolatedProgram::run(
    const QStringList& arguments, const QMap<QString, QString>& variables) const
{
    QProcess process;
    prepare(process, variables);
    process.start(QStringLiteral(ISOL8_PROGRAM), arguments);
    return finish(process);
}

Outcome IsolatedProgram::shell(const QString& script) const
{
    QProcess process;
    prepare(process, {});
    process.start(u"/bin/bash"_s, { u"-c"_s, script });
    return finish(process);
}

void IsolatedProgram::write(const QString& name, const QByteArray& content) const
{
    QFile file(path(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write %s", qPrintable(name));
}

} // namespace isol8::tests
