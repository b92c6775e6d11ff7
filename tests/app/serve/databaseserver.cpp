// SPDX-License-Identifier: MIT
#include "databaseserver.h"

#include <QDeadlineTimer>
#include <QDir>
#include <QFile>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QTcpServer>

#include <csignal>
#include <sys/types.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 120s;
constexpr uid_t nobody = 65534; // base-passwd of Debian; both servers refuse to be root.

/// Below the range from which the system picks ports by itself, so that nobody gets it by chance
/// while the server is stopped.
quint16 freePort()
{
    for (;;) {
        const auto port = quint16(QRandomGenerator::global()->bounded(20'000, 32'000));
        QTcpServer server;
        if (server.listen(QHostAddress::LocalHost, port))
            return port;
    }
}

} // namespace

const QString DatabaseServer::password = u"p@ss:/w%'\\"_s;

DatabaseServer::DatabaseServer(Product product)
    : m_product(product)
{
    m_process.setProcessChannelMode(QProcess::MergedChannels);
}

DatabaseServer::~DatabaseServer()
{
    stop();
}

QString DatabaseServer::path(const QString& name) const
{
    return m_directory.filePath(name);
}

/// Finds @p name where the distribution keeps it.
QString DatabaseServer::program(const QString& name) const
{
    QStringList places;
    const auto versions = QDir(u"/usr/lib/postgresql"_s).entryList(QDir::Dirs, QDir::Name);
    for (const auto& version : versions)
        places.prepend(u"/usr/lib/postgresql/%1/bin"_s.arg(version));
    const auto path = qEnvironmentVariable("PATH").split(u':');
    places += path + QStringList { u"/usr/bin"_s, u"/usr/sbin"_s };
    return QStandardPaths::findExecutable(name, places);
}

/// As nobody when the test is root, and never longer than the test lives.
QStringList DatabaseServer::unprivileged(const QStringList& command) const
{
    QStringList whole { u"setpriv"_s, u"--pdeathsig"_s, u"KILL"_s };
    if (::geteuid() == 0) {
        const auto id = QString::number(nobody);
        whole += { u"--reuid"_s, id, u"--regid"_s, id, u"--clear-groups"_s };
    }
    return whole + QStringList { u"--"_s } + command;
}

QString DatabaseServer::run(const QStringList& command, const QByteArray& input)
{
    if (command.front().isEmpty())
        return u"the program is not installed"_s;
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.setWorkingDirectory(m_directory.path());
    auto arguments = unprivileged(command);
    const auto name = arguments.takeFirst();
    process.start(name, arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(int(std::chrono::milliseconds(patience).count())))
        return u"%1: %2"_s.arg(command.front(), process.errorString());
    if (process.exitStatus() != QProcess::NormalExit || process.exitCode() != 0)
        return u"%1 exits with %2: %3"_s.arg(command.front())
            .arg(process.exitCode())
            .arg(QString::fromUtf8(process.readAll()));
    return {};
}

QString DatabaseServer::create()
{
    if (::geteuid() == 0
        && ::chown(QFile::encodeName(m_directory.path()).constData(), nobody, nobody) != 0)
        return u"the directory cannot be given away"_s;
    const auto created = m_product == Product::PostgreSql ? createPostgreSql() : createMariaDb();
    return created.isEmpty() ? start() : created;
}

QString DatabaseServer::createPostgreSql()
{
    QFile file(path(u"password"_s));
    if (!file.open(QIODevice::WriteOnly) || file.write(password.toUtf8() + '\n') < 0)
        return file.errorString();
    file.close();
    file.setPermissions(QFile::ReadOwner | QFile::ReadGroup | QFile::ReadOther);
    return run({ program(u"initdb"_s), u"--pgdata"_s, path(u"data"_s), u"--username"_s, u"isol8"_s,
        u"--pwfile"_s, file.fileName(), u"--auth"_s, u"scram-sha-256"_s, u"--encoding"_s, u"UTF8"_s,
        u"--locale"_s, u"C"_s, u"--no-sync"_s, u"--no-instructions"_s });
}

QString DatabaseServer::createMariaDb()
{
    // A tmpdir of its own: each server removes what it finds of others' in the usual one.
    // The statements are what mariadb-install-db runs, which is a script that needs the client's
    // package.
    QByteArray statements = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n";
    for (const auto& name : { u"mariadb_system_tables.sql"_s, u"mariadb_performance_tables.sql"_s,
             u"mariadb_system_tables_data.sql"_s }) {
        QFile file(u"/usr/share/mariadb/"_s + name);
        if (!file.open(QIODevice::ReadOnly))
            return file.fileName() + u": "_s + file.errorString();
        statements += file.readAll();
    }
    const auto made = run({ u"mkdir"_s, path(u"data"_s) });
    if (!made.isEmpty())
        return made;
    const auto filled
        = run({ program(u"mariadbd"_s), u"--no-defaults"_s, u"--bootstrap"_s,
                  u"--tmpdir="_s + m_directory.path(), u"--innodb-use-native-aio=0"_s,
                  u"--innodb-buffer-pool-size=8M"_s, u"--datadir="_s + path(u"data"_s) },
            statements);
    if (!filled.isEmpty())
        return filled;
    auto quoted = password;
    quoted.replace(u'\\', u"\\\\"_s).replace(u'\'', u"''"_s);
    // Each statement on a line of its own, as --init-file reads them.
    QFile file(path(u"init.sql"_s));
    const auto accounts
        = u"CREATE DATABASE IF NOT EXISTS isol8;\n"
          "CREATE USER IF NOT EXISTS 'isol8'@'%' IDENTIFIED BY '%1';\n"
          "CREATE USER IF NOT EXISTS 'isol8'@'localhost' IDENTIFIED BY '%1';\n"
          "GRANT ALL ON isol8.* TO 'isol8'@'%';\n"
          "GRANT ALL ON isol8.* TO 'isol8'@'localhost';\n"_s.replace(u"%1"_s, quoted);
    if (!file.open(QIODevice::WriteOnly) || file.write(accounts.toUtf8()) < 0)
        return file.errorString();
    file.close();
    file.setPermissions(QFile::ReadOwner | QFile::ReadGroup | QFile::ReadOther);
    return {};
}

QString DatabaseServer::startOnce()
{
    QStringList command;
    const auto port = QString::number(m_port);
    QByteArray ready;
    if (m_product == Product::PostgreSql) {
        command = { program(u"postgres"_s), u"-D"_s, path(u"data"_s), u"-k"_s, m_directory.path(),
            u"-p"_s, port, u"-c"_s, u"listen_addresses=127.0.0.1"_s, u"-F"_s, u"-c"_s,
            u"shared_buffers=1MB"_s, u"-c"_s, u"dynamic_shared_memory_type=mmap"_s };
        ready = "is ready to accept connections";
    } else {
        command = { program(u"mariadbd"_s), u"--no-defaults"_s, u"--datadir="_s + path(u"data"_s),
            u"--tmpdir="_s + m_directory.path(), u"--innodb-use-native-aio=0"_s,
            u"--socket="_s + path(u"socket"_s), u"--port="_s + port, u"--bind-address=127.0.0.1"_s,
            u"--pid-file="_s + path(u"pid"_s), u"--init-file="_s + path(u"init.sql"_s),
            u"--innodb-buffer-pool-size=8M"_s, u"--innodb-flush-log-at-trx-commit=0"_s,
            u"--skip-log-bin"_s };
        ready = "ready for connections";
    }
    if (command.front().isEmpty())
        return u"the server is not installed"_s;
    auto arguments = unprivileged(command);
    const auto name = arguments.takeFirst();
    m_process.setWorkingDirectory(m_directory.path());
    m_process.start(name, arguments);
    QByteArray log;
    const QDeadlineTimer deadline(patience);
    while (!log.contains(ready)) {
        if (m_process.state() == QProcess::NotRunning || deadline.hasExpired()) {
            log += m_process.readAll();
            stop();
            return u"%1: %2"_s.arg(command.front(), QString::fromUtf8(log));
        }
        m_process.waitForReadyRead(1000);
        log += m_process.readAll();
    }
    return {};
}

QString DatabaseServer::start()
{
    // Somebody else may take the port before the server does.
    constexpr int attempts = 5;
    QString failure;
    for (int i = 0; i < attempts; ++i) {
        if (m_port == 0)
            m_port = freePort();
        failure = startOnce();
        if (failure.isEmpty())
            return {};
        m_port = 0;
    }
    return failure;
}

void DatabaseServer::stop()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    // PostgreSQL's "fast" shutdown; MariaDB knows only the other signal.
    ::kill(pid_t(m_process.processId()), m_product == Product::PostgreSql ? SIGINT : SIGTERM);
    // Nobody reads what it says; it must not wait for that.
    if (!m_process.waitForFinished(int(std::chrono::milliseconds(patience).count())))
        m_process.kill();
    m_process.waitForFinished();
    m_process.readAll();
}

QString DatabaseServer::url() const
{
    const auto scheme = m_product == Product::PostgreSql ? u"postgres"_s : u"mysql"_s;
    return u"%1://isol8:%2@127.0.0.1:%3/%4"_s.arg(scheme,
        QString::fromLatin1(password.toUtf8().toPercentEncoding()), QString::number(m_port),
        m_product == Product::PostgreSql ? u"postgres"_s : u"isol8"_s);
}

QString DatabaseServer::socketUrl() const
{
    const auto socket = m_product == Product::PostgreSql ? m_directory.path() : path(u"socket"_s);
    return url().replace(u"127.0.0.1"_s, u"localhost"_s) + u"?socket="_s + socket;
}
