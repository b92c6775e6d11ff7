// SPDX-License-Identifier: MIT
#include "ui/guimain.h"

#include "ui/mainwindow/mainwindow.h"
#include "ui/services.h"
#include "ui/singleinstance.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QFileInfo>
#include <QIcon>
#include <QStyleHints>

#include <cstdio>
#include <cstdlib>
#include <memory>

using namespace isol8::ui;
using namespace Qt::StringLiterals;

namespace {

/// Qt ends the process when it finds no display; the user shall read why.
void explainAndEnd(QtMsgType type, const QMessageLogContext&, const QString& message)
{
    if (type != QtFatalMsg)
        return;
    std::fprintf(stderr,
        "[ERR] No window can be opened: the display does not answer (DISPLAY=%s, "
        "WAYLAND_DISPLAY=%s). Start `isol8 gui` in a desktop session, or with `ssh -X`.\n",
        qgetenv("DISPLAY").constData(), qgetenv("WAYLAND_DISPLAY").constData());
    std::fprintf(stderr, "[ERR] %s\n", qPrintable(message.section(u'\n', 0, 0)));
    std::_Exit(1);
}

QStringList filesOf(const QStringList& arguments)
{
    QStringList files;
    for (const auto& argument : arguments.mid(1))
        files << QFileInfo(argument).absoluteFilePath();
    return files;
}

} // namespace

int isol8_gui_main(int argumentCount, char** arguments)
{
    const auto previous = qInstallMessageHandler(explainAndEnd);
    QApplication application(argumentCount, arguments);
    qInstallMessageHandler(previous);
    QApplication::setApplicationName(u"isol8"_s);
    QApplication::setApplicationDisplayName(u"isol8"_s);
    QApplication::setApplicationVersion(QStringLiteral(ISOL8_VERSION));
    QApplication::setDesktopFileName(u"org.isol8.Isol8"_s);
    QApplication::setWindowIcon(QIcon(u":/isol8/isol8.svg"_s));
    QApplication::setQuitOnLastWindowClosed(false);

    Services services(Places::ofUser());
    const auto applyColours = [&application, &services] {
        applyTheme(application, services.settings.values().colourScheme);
    };
    applyColours();
    QObject::connect(&services.settings, &SettingsStore::changed, &application, applyColours);
    QObject::connect(QGuiApplication::styleHints(), &QStyleHints::colorSchemeChanged, &application,
        applyColours);
    const auto files = filesOf(QCoreApplication::arguments());
    std::unique_ptr<MainWindow> window;
    SingleInstance instance(SingleInstance::usualName());
    const auto begin = [&] {
        window = std::make_unique<MainWindow>(services);
        QObject::connect(window.get(), &MainWindow::ended, &application, &QCoreApplication::quit);
        QObject::connect(&instance, &SingleInstance::filesReceived, window.get(),
            [&window](const QStringList& received) {
                window->openFiles(received);
                window->show();
                window->raise();
                window->activateWindow();
            });
        window->openFiles(files);
        window->show();
        if (!SingleInstance::usualName().isEmpty())
            instance.listen();
    };
    if (SingleInstance::usualName().isEmpty())
        begin();
    else
        instance.handOver(files, [&begin](bool isTaken) {
            if (isTaken)
                QCoreApplication::quit();
            else
                begin();
        });
    return QApplication::exec();
}
