// SPDX-License-Identifier: MIT
#pragma once

#include "tests/app/serve/fakeengine.h"
#include "ui/editor/editortabs.h"
#include "ui/mainwindow/mainwindow.h"
#include "ui/mainwindow/windowactions.h"
#include "ui/output/outputpane.h"
#include "ui/services.h"

#include <QTemporaryDir>
#include <QTest>

namespace isol8::tests {

/// The real window in a home directory of its own, shown and active. Its engine is a fake one
/// unless another factory is given; it knows no Docker to ask for images without @p clients.
class WindowFixture {
public:
    explicit WindowFixture(ui::EngineFactory engines = {}, ui::DockerClientFactory clients = {});
    ~WindowFixture();
    Q_DISABLE_COPY_MOVE(WindowFixture)

    [[nodiscard]] ui::MainWindow& window() { return *m_window; }
    [[nodiscard]] ui::Services& services() { return *m_services; }
    [[nodiscard]] FakeEngine& engine() { return *m_engine; }
    /// The newest run of the fake engine; null when it is gone.
    [[nodiscard]] FakeRun* run() const;

    [[nodiscard]] ui::EditorPage* page() { return m_window->tabs()->currentPage(); }
    [[nodiscard]] ui::CodeEditor* editor() { return page()->editor(); }
    [[nodiscard]] QString output() { return m_window->output()->view()->text(); }
    [[nodiscard]] QString status();
    /// What the bar above the text in front says; empty when it is hidden.
    [[nodiscard]] QString sentence();
    /// Waits until keys go to the window, which takes a moment after a dialog.
    void activate();

    /// A part of the window by its object name; fails the test when there is none.
    template <typename Widget> [[nodiscard]] Widget* part(const char* name)
    {
        auto* found = m_window->findChild<Widget*>(QLatin1StringView(name));
        if (!found)
            qFatal("the window has no %s", name);
        return found;
    }

    /// Types into what has the focus.
    void type(const QString& text);
    void press(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier);

    [[nodiscard]] QString filePath(const QString& name) const { return m_files.filePath(name); }
    /// Its path.
    QString writeFile(const QString& name, const QByteArray& content) const;
    /// Closes the window and makes another one with the same files and settings.
    void restart();

private:
    void open();

    QTemporaryDir m_home;
    QTemporaryDir m_files;
    std::shared_ptr<FakeEngine> m_engine;
    ui::EngineFactory m_engines;
    ui::DockerClientFactory m_clients;
    std::unique_ptr<ui::Services> m_services;
    std::unique_ptr<ui::MainWindow> m_window;
};

} // namespace isol8::tests
