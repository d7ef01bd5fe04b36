import type { Page } from "playwright-core";

/** Opens one of GraphiQL's tabs and runs what is in it. */
export async function runGraphiqlTab(page: Page, name: string): Promise<void> {
  const tab = page.locator(".graphiql-tab-button", { hasText: name });
  const id = await tab.getAttribute("id");
  await tab.click();
  // It reads the new tab's operations a moment later, and only then stores which tab is open. Asked
  // for in a loop, because waitForFunction needs the eval that the page's policy forbids.
  while (`graphiql-session-tab-${await activeTab(page)}` !== id);
  await page.getByRole("button", { name: "Execute query" }).click();
}

function activeTab(page: Page): Promise<unknown> {
  return page.evaluate('JSON.parse(localStorage["graphiql:tabState"] ?? "{}").activeTabIndex');
}
