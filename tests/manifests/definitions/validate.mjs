// Objects of Argo CD as JSON on standard input; on standard output what is wrong with each, null for nothing.
import * as models from "@kubernetes-models/argo-cd/argoproj.io/v1alpha1";

const text = await new Response(process.stdin).text();
const told = JSON.parse(text).map((manifest) => {
  try {
    new models[manifest.kind](manifest).validate();
    return null;
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(told));
