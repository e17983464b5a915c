// @ts-check
/** The view Descent. */

import { make } from "./parts.js";

/** @param {{model: import("./parts.js").Model, el: HTMLElement}} context */
function render({ model, el }) {
  const { texts } = model.get("about");
  el.append(make("p", { text: texts.nothingYet }));
  return () => {};
}

export default { render };
